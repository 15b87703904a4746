package dev.peapod.linux.cgroup;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.util.Optional;

/// How long tasks have waited for a resource: a pressure file (Linux's `Documentation/accounting/psi.rst`).
///
/// @param some times in which at least one task waited
/// @param full times in which all of them did
public record Pressure(Share some, Share full) {
  /// One line of the file.
  ///
  /// @param totalMicros since the cgroup was made
  /// @param avg10 per cent of the last 10 seconds; the others likewise
  public record Share(long totalMicros, double avg10, double avg60, double avg300) {
    private static final Share NONE = new Share(0, 0, 0, 0);
  }

  /// Whether the kernel counts at all.
  static boolean counted() {
    return KernelFiles.exists("/proc/pressure");
  }

  /// Reads a file; empty where the kernel does not count.
  static Optional<Pressure> read(String file) {
    try {
      return Optional.of(parse(KernelFiles.readAtOnce(file)));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.EOPNOTSUPP) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Lines such as `some avg10=0.00 avg60=0.12 avg300=0.30 total=1234`.
  static Pressure parse(String text) {
    Share some = Share.NONE;
    Share full = Share.NONE;
    for (String line : text.lines().toList()) {
      if (line.startsWith("some ")) {
        some = share(line);
      } else if (line.startsWith("full ")) {
        full = share(line);
      }
    }
    return new Pressure(some, full);
  }

  private static Share share(String line) {
    long total = 0;
    double[] averages = new double[3];
    for (String field : line.split(" ")) {
      int is = field.indexOf('=');
      String value = field.substring(is + 1);
      switch (field.substring(0, Math.max(is, 0))) {
        case "total" -> total = Long.parseLong(value);
        case "avg10" -> averages[0] = Double.parseDouble(value);
        case "avg60" -> averages[1] = Double.parseDouble(value);
        case "avg300" -> averages[2] = Double.parseDouble(value);
        default -> {
          // A newer kernel's.
        }
      }
    }
    return new Share(total, averages[0], averages[1], averages[2]);
  }
}
