package dev.peapod.linux;

import java.nio.charset.StandardCharsets;

/// The name of this run of the kernel: another one after each boot. Tests of what comes after a boot pretend one
/// by the system property `peapod.boot-id`.
public final class BootId {
  private static final class Holder {
    private static final String CURRENT = read();

    private static String read() {
      String pretended = System.getProperty("peapod.boot-id", "");
      if (!pretended.isEmpty()) {
        return pretended;
      }
      try (Fd fd = Fd.open("/proc/sys/kernel/random/boot_id", Open.RDONLY)) {
        return new String(FdIo.readAll(fd, 100), StandardCharsets.US_ASCII).strip();
      }
    }
  }

  private BootId() {}

  /// This boot's, a UUID.
  public static String current() {
    return Holder.CURRENT;
  }
}
