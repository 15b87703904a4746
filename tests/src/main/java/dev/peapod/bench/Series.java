package dev.peapod.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// The times of one series of rounds against one runtime, in nanoseconds. Thread-safe.
final class Series {
  private final Map<Call, List<Long>> times = new EnumMap<>(Call.class);
  private long elapsed;

  /// Adds one round's times.
  synchronized void add(Map<Call, Long> round) {
    round.forEach((call, time) -> times.computeIfAbsent(call, k -> new ArrayList<>()).add(time));
  }

  /// Says how long the whole series took.
  synchronized void finished(long nanoseconds) {
    elapsed = nanoseconds;
  }

  /// The time in milliseconds that the given share of all rounds did not exceed (nearest rank).
  synchronized double quantile(Call call, double share) {
    long[] sorted = times.getOrDefault(call, List.of()).stream().mapToLong(Long::longValue).toArray();
    if (sorted.length == 0) {
      return Double.NaN;
    }
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(share * sorted.length);
    return sorted[Math.max(0, rank - 1)] / 1e6;
  }

  /// Pods made and removed in a second.
  synchronized double podsPerSecond() {
    return times.getOrDefault(Call.WHOLE, List.of()).size() / (elapsed / 1e9);
  }
}
