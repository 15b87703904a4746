package dev.peapod.pods.manifest;

/// A set of a Job's indexes as a manifest writes it: `1,3-5`.
final class IndexText {
  private IndexText() {}

  /// How many indexes there are.
  ///
  /// @param completions what all of them are below
  /// @throws IllegalArgumentException in Kubernetes' words, if it is no such text
  static int count(String text, int completions) {
    int count = 0;
    int last = -1;
    for (String interval : text.isEmpty() ? new String[0] : text.split(",", -1)) {
      String[] ends = interval.split("-", -1);
      if (ends.length > 2) {
        throw new IllegalArgumentException(
            "the fragment "
                + Words.quote(interval)
                + " violates the requirement that an index interval can have at most two parts"
                + " separated by '-'");
      }
      int from = index(ends[0], completions);
      increasing(last, from);
      last = from;
      if (ends.length == 2) {
        last = index(ends[1], completions);
        increasing(from, last);
      }
      count += last - from + 1;
    }
    return count;
  }

  private static int index(String text, int completions) {
    if (!text.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException(
          "cannot convert string to integer for index: " + Words.quote(text));
    }
    int index = Integer.parseInt(text);
    if (index >= completions) {
      throw new IllegalArgumentException("too large index: " + Words.quote(text));
    }
    return index;
  }

  private static void increasing(int previous, int current) {
    if (current <= previous) {
      throw new IllegalArgumentException(
          "non-increasing order, previous: " + previous + ", current: " + current);
    }
  }
}
