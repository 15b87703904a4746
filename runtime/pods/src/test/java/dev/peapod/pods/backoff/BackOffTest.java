package dev.peapod.pods.backoff;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackOffTest {
  private final BackOff backOff =
      new BackOff(Duration.ofSeconds(10), Duration.ofSeconds(300), Duration.ofMinutes(10));
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  /// Fails now, waits as long as it must, is tried again; answers the wait.
  private Duration failAndTry() {
    Instant failed = now;
    now = backOff.due(failed);
    backOff.tried(failed, now);
    return Duration.between(failed, now);
  }

  @Test
  void answersTheFirstFailureAtOnceAndThenDoublesUpToTheMost() {
    List<Long> waits = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      waits.add(failAndTry().toSeconds());
    }
    assertThat(waits).containsExactly(0L, 10L, 20L, 40L, 80L, 160L, 300L, 300L, 300L);
  }

  @Test
  void countsTheWaitFromTheFailure() {
    failAndTry();
    Instant failed = now;
    assertThat(backOff.due(failed)).isEqualTo(failed.plusSeconds(10));
  }

  @Test
  void beginsAnewAfterTenMinutesOfHealth() {
    failAndTry();
    failAndTry();
    failAndTry();
    now = now.plus(Duration.ofMinutes(10)).plusSeconds(1);
    assertThat(failAndTry()).isZero();
    assertThat(failAndTry()).hasSeconds(10);
  }

  @Test
  void doesNotForgetBefore() {
    failAndTry();
    failAndTry();
    now = now.plus(Duration.ofMinutes(10));
    assertThat(failAndTry()).hasSeconds(20);
  }

  @Test
  void forgetsWhenTold() {
    failAndTry();
    failAndTry();
    backOff.clear();
    assertThat(failAndTry()).isZero();
  }
}
