package dev.peapod.system;

import java.time.Duration;

/// How long somebody who swaps paths gets: `-Dpeapod.tests.races=5000` for how many starts, whatever time they take;
/// otherwise a few hundred, and half a minute at most.
final class Races {
  private static final int ASKED = Integer.getInteger("peapod.tests.races", 0);
  private static final int STARTS = ASKED > 0 ? ASKED : 300;
  private static final long END = (ASKED > 0 ? Duration.ofHours(1) : Duration.ofSeconds(20)).toNanos();

  private final long begin = System.nanoTime();
  private int attempts;
  private int succeeded;

  /// Whether to try once more; counts it.
  boolean next() {
    if (attempts >= STARTS || System.nanoTime() - begin > END) {
      return false;
    }
    attempts++;
    return true;
  }

  /// Which attempt it is, from 1.
  int attempts() {
    return attempts;
  }

  /// The attempt went well.
  void succeeded() {
    succeeded++;
  }

  int successes() {
    return succeeded;
  }
}
