package dev.peapod.pods.cron;

import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/// One field of a schedule: which numbers of its range are meant.
///
/// @param any whether the field was `*` or `?`
record CronField(BitSet values, boolean any) {
  private static final List<String> MONTHS =
      List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
  private static final List<String> DAYS = List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");

  /// The five fields, in a schedule's order.
  enum Range {
    MINUTE(0, 59),
    HOUR(0, 23),
    DAY_OF_MONTH(1, 31),
    MONTH(1, 12),
    DAY_OF_WEEK(0, 6);

    private final int low;
    private final int high;

    Range(int low, int high) {
      this.low = low;
      this.high = high;
    }
  }

  /// @throws IllegalArgumentException if the text is no such field, in Kubernetes' words
  static CronField parse(String text, Range range) {
    BitSet values = new BitSet();
    boolean any = false;
    for (String part : text.split(",", -1)) {
      any |= add(part, range, values);
    }
    return new CronField(values, any);
  }

  boolean has(int value) {
    return values.get(value);
  }

  /// Adds `*`, `low`, `low-high` or one of them with `/step`; whether it is simply all.
  private static boolean add(String part, Range range, BitSet values) {
    String[] steps = part.split("/", -1);
    String[] ends = steps[0].split("-", -1);
    if (steps.length > 2) {
      throw new IllegalArgumentException("too many slashes: " + part);
    }
    boolean any = ends[0].equals("*") || ends[0].equals("?");
    int low = any ? range.low : number(ends[0], range);
    int high = any ? range.high : low;
    if (!any && ends.length == 2) {
      high = number(ends[1], range);
    } else if (ends.length > 1) {
      throw new IllegalArgumentException("too many hyphens: " + part);
    }
    int step = 1;
    if (steps.length == 2) {
      step = integer(steps[1]);
      if (ends.length == 1) {
        high = range.high;
      }
    }
    require(low >= range.low, "beginning of range", low, "below minimum", range.low, part);
    require(high <= range.high, "end of range", high, "above maximum", range.high, part);
    require(low <= high, "beginning of range", low, "beyond end of range", high, part);
    if (step == 0) {
      throw new IllegalArgumentException("step of range should be a positive number: " + part);
    }
    for (int value = low; value <= high; value += Math.min(step, 100)) {
      values.set(value);
    }
    return any && step == 1;
  }

  private static void require(
      boolean met, String what, int value, String how, int limit, String part) {
    if (!met) {
      throw new IllegalArgumentException(
          what + " (" + value + ") " + how + " (" + limit + "): " + part);
    }
  }

  private static int number(String word, Range range) {
    String lower = word.toLowerCase(Locale.ROOT);
    if (range == Range.MONTH && MONTHS.contains(lower)) {
      return MONTHS.indexOf(lower) + 1;
    }
    if (range == Range.DAY_OF_WEEK && DAYS.contains(lower)) {
      return DAYS.indexOf(lower);
    }
    return integer(word);
  }

  private static int integer(String word) {
    if (!word.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException(
          "failed to parse int from "
              + word
              + ": strconv.Atoi: parsing \""
              + word
              + "\": invalid syntax");
    }
    return Integer.parseInt(word);
  }
}
