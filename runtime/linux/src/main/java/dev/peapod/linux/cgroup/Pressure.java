package dev.peapod.linux.cgroup;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.util.Optional;
import java.util.function.UnaryOperator;

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
    /// Nobody has ever waited.
    public static final Share NONE = new Share(0, 0, 0, 0);
  }

  /// Whether the kernel counts at all.
  static boolean counted() {
    return KernelFiles.exists("/proc/pressure");
  }

  /// Reads a file; empty where the kernel does not count.
  ///
  /// @param read reads a file by its path
  static Optional<Pressure> read(String file, UnaryOperator<String> read) {
    try {
      return Optional.of(parse(read.apply(file)));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.EOPNOTSUPP) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Lines such as `some avg10=0.00 avg60=0.12 avg300=0.30 total=1234`.
  static Pressure parse(String text) {
    return new Pressure(share(text, "some "), share(text, "full "));
  }

  private static Share share(String text, String line) {
    int start = text.startsWith(line) ? 0 : text.indexOf("\n" + line) + 1;
    if (start == 0 && !text.startsWith(line)) {
      return Share.NONE;
    }
    int newline = text.indexOf('\n', start);
    int end = newline < 0 ? text.length() : newline;
    return new Share(
        (long) number(text, " total=", start, end),
        number(text, " avg10=", start, end),
        number(text, " avg60=", start, end),
        number(text, " avg300=", start, end));
  }

  /// A decimal number; thousands of these are read for one answer. 0 if the field is missing.
  private static double number(String text, String field, int start, int end) {
    int at = text.indexOf(field, start, end);
    if (at < 0) {
      return 0;
    }
    long digits = 0;
    long scale = 0;
    for (int i = at + field.length(); i < end; i++) {
      char c = text.charAt(i);
      if (c == '.') {
        scale = 1;
      } else if (c >= '0' && c <= '9') {
        digits = digits * 10 + (c - '0');
        scale *= 10;
      } else {
        break;
      }
    }
    return scale == 0 ? digits : (double) digits / scale;
  }
}
