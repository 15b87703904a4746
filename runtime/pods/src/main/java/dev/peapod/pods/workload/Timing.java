package dev.peapod.pods.workload;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.stream.Stream;

/// Times of controllers.
final class Timing {
  /// After a pod could not be made, or while it is not known what runs.
  static final Duration SOON = Duration.ofSeconds(1);

  private Timing() {}

  /// As status has it.
  static String text(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  static Optional<Instant> earliest(Optional<Instant> one, Optional<Instant> other) {
    return Stream.concat(one.stream(), other.stream()).min(Instant::compareTo);
  }

  /// A time that is yet to come.
  static Optional<Instant> future(Optional<Instant> time, Instant now) {
    return time.filter(now::isBefore);
  }
}
