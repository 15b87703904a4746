package dev.peapod.pods.backoff;

import java.time.Duration;
import java.time.Instant;

/// A wait that doubles with every failure and is forgotten after a time of health, as kubelet
/// counts it: the first failure is answered at once, the second one `base` after it happened, and
/// so on up to `max`. For one thread; it has no clock of its own.
public final class BackOff {
  private final Duration base;
  private final Duration max;
  private final Duration reset;
  private Duration delay = Duration.ZERO;
  private Instant lastTry = Instant.MIN;

  public BackOff(Duration base, Duration max, Duration reset) {
    this.base = base;
    this.max = max;
    this.reset = reset;
  }

  /// When to try again after a failure at `failed`; not before `failed`.
  public Instant due(Instant failed) {
    return isHealthyAgain(failed) ? failed : failed.plus(delay);
  }

  /// Notes that what failed at `failed` is tried again `now`.
  public void tried(Instant failed, Instant now) {
    if (delay.isZero() || isHealthyAgain(failed)) {
      delay = base;
    } else {
      Duration doubled = delay.multipliedBy(2);
      delay = doubled.compareTo(max) > 0 ? max : doubled;
    }
    lastTry = now;
  }

  /// The wait that [#due] adds at present.
  public Duration delay() {
    return delay;
  }

  /// Forgets all failures.
  public void clear() {
    delay = Duration.ZERO;
    lastTry = Instant.MIN;
  }

  private boolean isHealthyAgain(Instant failed) {
    return lastTry.equals(Instant.MIN) || Duration.between(lastTry, failed).compareTo(reset) > 0;
  }
}
