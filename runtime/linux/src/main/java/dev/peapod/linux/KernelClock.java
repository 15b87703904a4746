package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/// The kernel's clock ticks, in which procfs tells when a process started.
public final class KernelClock {
  /// USER_HZ: part of the kernel's interface and the same on all architectures here.
  public static final long TICKS_PER_SECOND = 100;

  private static final int CLOCK_BOOTTIME = 7;
  private static final long TICK_NANOS = 1_000_000_000 / TICKS_PER_SECOND;

  private KernelClock() {}

  /// Nanoseconds since the kernel's start, time asleep included.
  public static long sinceBootNanos() {
    byte[] time = new byte[16];
    LibC.check(LibC.clock_gettime(CLOCK_BOOTTIME, time), "clock_gettime(CLOCK_BOOTTIME)");
    ByteBuffer b = ByteBuffer.wrap(time).order(ByteOrder.nativeOrder());
    return b.getLong(0) * 1_000_000_000 + b.getLong(8);
  }

  /// When it was `ticks` after the kernel's start, by the wall clock as it goes now.
  public static Instant instant(long ticks) {
    return Instant.now().minusNanos(sinceBootNanos() - ticks * TICK_NANOS);
  }
}
