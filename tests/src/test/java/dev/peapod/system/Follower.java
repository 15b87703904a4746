package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A client that goes on until what it follows ends, such as `logs -f`.
final class Follower {
  private final Process process;
  private final String first;

  /// Starts the client and waits for its first words, so that it misses nothing after them.
  Follower(Peapod peapod, String first, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Fixtures.HOME.resolve("target/peapod/bin/peapod").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("PEAPOD_SOCKET", peapod.socket().toString());
    this.first = first;
    try {
      process = builder.start();
      byte[] read = process.getInputStream().readNBytes(first.length());
      assertThat(new String(read, StandardCharsets.UTF_8)).isEqualTo(first);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
