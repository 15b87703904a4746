package dev.peapod.cri;

import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/// How much processor is used at the time, from the totals that were told before. Thread-safe.
final class CpuRates {
  private static final long SHORTEST = 100_000_000;
  private static final long OLDEST = 10 * 60 * 1_000_000_000L;

  private record Sample(long at, long total, OptionalLong rate) {}

  private final Map<String, Sample> samples = new ConcurrentHashMap<>();

  /// Nanoseconds of processor in each second, since the last time it was asked for this id; empty the
  /// first time.
  ///
  /// @param at nanoseconds of any clock
  /// @param total nanoseconds of processor until then
  OptionalLong rate(String id, long at, long total) {
    return samples
        .compute(
            id,
            (key, last) -> {
              if (last == null || total < last.total) {
                return new Sample(at, total, OptionalLong.empty());
              }
              if (at - last.at < SHORTEST) {
                // Too short to tell: what was told last.
                return last;
              }
              double seconds = (at - last.at) / 1e9;
              return new Sample(at, total, OptionalLong.of(Math.round((total - last.total) / seconds)));
            })
        .rate();
  }

  /// Forgets those that nobody has asked for in ten minutes.
  void forgetOld(long now) {
    samples.values().removeIf(sample -> now - sample.at > OLDEST);
  }
}
