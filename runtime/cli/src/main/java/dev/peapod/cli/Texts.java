package dev.peapod.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Times and sizes as people write them.
final class Texts {
  private static final Pattern PART = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h|d)");

  private Texts() {}

  /// `5s`, `3m12s`, `4h5m`, `3d2h`, as kubectl shows ages.
  static String age(long fromNanos) {
    long now = System.currentTimeMillis();
    long s = Math.max(0, (now - fromNanos / 1_000_000) / 1000);
    if (s < 120) {
      return s + "s";
    }
    if (s < 600) {
      return two(s / 60, "m", s % 60, "s");
    }
    if (s < 3 * 3600) {
      return s / 60 + "m";
    }
    if (s < 8 * 3600) {
      return two(s / 3600, "h", s % 3600 / 60, "m");
    }
    if (s < 48 * 3600) {
      return s / 3600 + "h";
    }
    return s < 8 * 86400 ? two(s / 86400, "d", s % 86400 / 3600, "h") : s / 86400 + "d";
  }

  private static String two(long large, String largeUnit, long small, String smallUnit) {
    return small == 0 ? large + largeUnit : large + largeUnit + small + smallUnit;
  }

  /// Reads `90s`, `1h30m`, `250ms`; a bare number is seconds.
  static Duration duration(String text, String option) {
    if (text.matches("[0-9]{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(text));
    }
    Matcher part = PART.matcher(text);
    Duration total = Duration.ZERO;
    int end = 0;
    while (part.find() && part.start() == end) {
      double amount = Double.parseDouble(part.group(1));
      double seconds =
          switch (part.group(2)) {
            case "ms" -> amount / 1000;
            case "s" -> amount;
            case "m" -> amount * 60;
            case "h" -> amount * 3600;
            default -> amount * 86400;
          };
      total = total.plusMillis((long) (seconds * 1000));
      end = part.end();
    }
    if (end != text.length() || text.isEmpty()) {
      throw new Failure(
          "the value of "
              + option
              + " must be a duration such as 90s, 5m or 1h30m, not \""
              + text
              + "\"",
          Main.USAGE);
    }
    return total;
  }

  /// `12.3MB`.
  static String size(long bytes) {
    if (bytes < 1000) {
      return bytes + "B";
    }
    double value = bytes;
    for (String unit : new String[] {"kB", "MB", "GB", "TB"}) {
      value /= 1000;
      if (value < 999.95) {
        return String.format(Locale.ROOT, value < 9.995 ? "%.2f%s" : "%.1f%s", value, unit);
      }
    }
    return String.format(Locale.ROOT, "%.1fPB", value / 1000);
  }

  /// One line that does not move the cursor.
  static String clean(String text) {
    boolean dirty = false;
    for (int i = 0; i < text.length(); i++) {
      dirty |= Character.isISOControl(text.charAt(i));
    }
    return dirty ? text.replaceAll("\\p{Cntrl}+", " ") : text;
  }
}
