package dev.peapod.engine.exec;

import java.util.concurrent.atomic.AtomicInteger;

/// How much of what commands write is kept in memory: so much of one command, and of all that run at a time so much that
/// the heap holds it. Each stream has a little that nobody takes from it, so that answers of ordinary length are whole
/// whatever others write. Thread-safe.
final class OutputBudget {
  /// The answer has to fit into the 16 MiB that kubelets take for one.
  private static final int OF_ONE = (16 << 20) - 1024;
  private static final int OF_ALL = 32 << 20;
  private static final int OF_EACH_STREAM = 64 << 10;

  private final AtomicInteger left = new AtomicInteger(OF_ALL);

  /// The part of one command.
  final class Share implements AutoCloseable {
    private int kept;
    private int taken;

    /// Asks for room.
    ///
    /// @param already how much of the same stream was kept before
    /// @return how many of `bytes` may be kept
    synchronized int take(int already, int bytes) {
      int wanted = Math.min(bytes, OF_ONE - kept);
      int free = Math.clamp(OF_EACH_STREAM - already, 0, wanted);
      int before = left.getAndUpdate(l -> l - Math.min(l, wanted - free));
      int more = Math.min(before, wanted - free);
      taken += more;
      kept += free + more;
      return free + more;
    }

    /// Gives back what it has taken from the others.
    @Override
    public synchronized void close() {
      left.addAndGet(taken);
      taken = 0;
    }
  }

  Share share() {
    return new Share();
  }
}
