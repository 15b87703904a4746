package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A client that goes on until what it follows ends, such as `logs -f`, or until it is ended.
final class Follower {
  private final Process process;
  private final String first;

  /// Starts the client and waits for its first words, so that it misses nothing after them.
  Follower(Peapod peapod, String first, String... arguments) {
    this(peapod, first, List.of(arguments), "");
  }

  /// The same with something on its standard input, which then ends.
  static Follower fed(Peapod peapod, String first, String input, String... arguments) {
    return new Follower(peapod, first, List.of(arguments), input);
  }

  private Follower(Peapod peapod, String first, List<String> arguments, String input) {
    List<String> command = new ArrayList<>();
    command.add(Fixtures.HOME.resolve("target/peapod/bin/peapod").toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("PEAPOD_SOCKET", peapod.socket().toString());
    this.first = first;
    try {
      process = builder.start();
      process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().close();
      byte[] read = process.getInputStream().readNBytes(first.length());
      assertThat(new String(read, StandardCharsets.UTF_8)).isEqualTo(first);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The rest of the line that it is in.
  String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = process.getInputStream().read(); c >= 0 && c != '\n';
        c = process.getInputStream().read()) {
      line.append((char) c);
    }
    return line.toString();
  }

  /// Ends it.
  void end() {
    process.destroy();
    process.onExit().join();
  }

  /// Everything that it wrote, when it has ended.
  String output() {
    try {
      return first + new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
