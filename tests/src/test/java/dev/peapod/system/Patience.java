package dev.peapod.system;

import java.time.Duration;

/// How long tests wait before they give up. Where everything is emulated, everything takes longer.
final class Patience {
  private static final long LEAST = Long.getLong("peapod.tests.patience", 0);

  private Patience() {}

  static Duration ofSeconds(long seconds) {
    return Duration.ofSeconds(Math.max(seconds, LEAST));
  }
}
