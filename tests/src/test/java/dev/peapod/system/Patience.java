package dev.peapod.system;

import java.time.Duration;

/// How long tests wait before they give up, and before they look again. Where everything is emulated, everything takes longer,
/// and a look takes the processor from what is waited for.
final class Patience {
  private static final long LEAST = Long.getLong("peapod.tests.patience", 0);

  private Patience() {}

  static Duration ofSeconds(long seconds) {
    return Duration.ofSeconds(Math.max(seconds, LEAST));
  }

  static Duration toLookAgain(long millis) {
    return Duration.ofMillis(LEAST == 0 ? millis : 10 * millis);
  }
}
