package dev.peapod.linux;

/// Pipes (pipe2(2)), both ends close-on-exec.
public final class Pipes {
  /// The two ends of one pipe; closing it closes both.
  public record Pipe(Fd read, Fd write) implements AutoCloseable {
    @Override
    public void close() {
      read.close();
      write.close();
    }
  }

  private Pipes() {}

  /// A new pipe.
  public static Pipe create() {
    int[] pair = new int[2];
    LibC.check(EventCalls.pipe2(pair, Open.CLOEXEC), "pipe2()");
    return new Pipe(new Fd(pair[0]), new Fd(pair[1]));
  }
}
