package dev.peapod.cri;

import java.time.Clock;
import java.time.Instant;

/// Times as the CRI has them: nanoseconds since 1970.
final class Nanos {
  private Nanos() {}

  static long now(Clock clock) {
    Instant now = clock.instant();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}
