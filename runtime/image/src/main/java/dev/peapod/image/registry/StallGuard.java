package dev.peapod.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// Closes streams that bring nothing for a while, since a read of them has no timeout. Thread-safe.
public final class StallGuard implements AutoCloseable {
  private final Map<InputStream, Long> reading = new ConcurrentHashMap<>();
  private final long limitNanos;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("image-stalls").unstarted(task));

  /// @param limitSeconds after which a read that brought nothing is ended
  public StallGuard(long limitSeconds) {
    limitNanos = TimeUnit.SECONDS.toNanos(limitSeconds);
    long period = Math.max(1, limitSeconds / 4);
    timer.scheduleWithFixedDelay(this::check, period, period, TimeUnit.SECONDS);
  }

  int read(InputStream in, byte[] to, int offset, int length) throws IOException {
    reading.put(in, System.nanoTime());
    try {
      return in.read(to, offset, length);
    } finally {
      reading.remove(in);
    }
  }

  private void check() {
    long now = System.nanoTime();
    reading.forEach(
        (in, since) -> {
          if (now - since > limitNanos) {
            try {
              in.close();
            } catch (IOException e) {
              // Its reader notices.
            }
          }
        });
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
