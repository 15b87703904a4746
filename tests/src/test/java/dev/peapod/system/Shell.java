package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Runs programs to their end.
final class Shell {
  private static final long LIMIT_SECONDS = 300;

  private Shell() {}

  /// How a program ended and what it said.
  record Result(int exit, String out, String err) {
    /// Standard output of a program that must have ended with 0.
    String ok() {
      assertThat(exit).as("exit code; it said: %s%s", out, err).isZero();
      return out;
    }
  }

  static Result run(String... command) {
    return run(Map.of(), "", List.of(command));
  }

  /// @param input what the program reads from its standard input
  static Result run(Map<String, String> environment, String input, List<String> command) {
    try {
      Path in = Files.createTempFile("peat", ".in");
      Path out = Files.createTempFile("peat", ".out");
      Path err = Files.createTempFile("peat", ".err");
      try {
        Files.writeString(in, input);
        ProcessBuilder builder =
            new ProcessBuilder(command)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (!ended) {
          process.destroyForcibly().waitFor();
        }
        Result result = new Result(process.exitValue(), text(out), text(err));
        assertThat(ended).as("%s ended within its time; it said: %s", command, result).isTrue();
        return result;
      } finally {
        Files.delete(in);
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
