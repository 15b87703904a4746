package dev.peapod.engine.state;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// When to do what the next pods will be glad of: once the present one has started. Thread-safe.
public final class SpareTime {
  /// A sandbox's containers are expected within this.
  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(200);

  /// The answer goes out first, and whoever waits for it looks at what it got.
  private static final long BREATH = TimeUnit.MILLISECONDS.toNanos(10);

  /// Where pods start all the time there is no better time to come.
  private static final long LONGEST = TimeUnit.MILLISECONDS.toNanos(250);

  private final Executor background;
  private volatile long from = System.nanoTime();

  /// @param background gives each piece of work a thread that may sleep
  public SpareTime(Executor background) {
    this.background = background;
  }

  /// A step of a start is over, more will follow.
  public void starting() {
    from = System.nanoTime() + PATIENCE;
  }

  /// A container has been started.
  public void started() {
    from = System.nanoTime() + BREATH;
  }

  /// Has work done by another thread when there is time; if that is interrupted, not at all.
  public void later(Runnable work) {
    background.execute(
        () -> {
          try {
            await();
            work.run();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  private void await() throws InterruptedException {
    long latest = System.nanoTime() + LONGEST;
    for (long now = System.nanoTime(); now - from < 0 && now - latest < 0; now = System.nanoTime()) {
      TimeUnit.NANOSECONDS.sleep(Math.min(from - now, latest - now));
    }
  }
}
