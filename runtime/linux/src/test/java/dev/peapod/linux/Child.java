package dev.peapod.linux;

import java.io.File;
import java.io.IOException;

/// A process that a test starts, without pipes to it; closing it kills and reaps it.
public record Child(Process process) implements AutoCloseable {
  public static Child start(String... command) throws IOException {
    return new Child(
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  public int pid() {
    return (int) process.pid();
  }

  @Override
  public void close() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }
}
