package dev.peapod.image.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/// Runs programs of the machine.
public final class Commands {
  private Commands() {}

  /// Runs a program to its end; answers what it wrote.
  public static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + " failed: " + output);
    }
    return output;
  }

  /// Skips the test if a program is missing.
  public static void require(String... programs) {
    for (String program : programs) {
      boolean there =
          List.of(System.getenv().getOrDefault("PATH", "/usr/bin:/bin").split(":")).stream()
              .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
      Assumptions.assumeTrue(there, program + " is not installed");
    }
  }

  /// Skips the test for anybody but root.
  public static void requireRoot() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "only root can make what layers hold");
  }
}
