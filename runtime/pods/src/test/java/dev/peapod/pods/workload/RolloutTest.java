package dev.peapod.pods.workload;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.pods.workload.Rollout.Side;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RolloutTest {
  @ParameterizedTest
  @CsvSource({
    // replicas, maxSurge, maxUnavailable, and the numbers they come to
    "4, 25%, 25%, 1, 1",
    "3, 25%, 25%, 1, 0",
    "10, 25%, 25%, 3, 2",
    "1, 0%, 25%, 0, 1",
    "5, 2, 1, 2, 1",
    "2, 0, 5, 0, 2",
    "0, 25%, 25%, 0, 0",
    "3, 100%, 0, 3, 0"
  })
  void sharesAreRounded(int replicas, String surge, String unavailable, int more, int fewer) {
    Rollout rollout = Rollout.of(replicas, value(surge), value(unavailable));
    assertThat(rollout.maxSurge()).isEqualTo(more);
    assertThat(rollout.maxUnavailable()).isEqualTo(fewer);
  }

  private static IntOrString value(String text) {
    return text.endsWith("%") ? new IntOrString(text) : new IntOrString(Integer.parseInt(text));
  }

  @Test
  void goesOnStepByStep() {
    Rollout rollout = new Rollout(4, 1, 1);
    List<Side> old = List.of(new Side(4, 4));
    assertThat(rollout.fresh(new Side(0, 0), old)).isEqualTo(1);
    assertThat(rollout.old(new Side(1, 0), old)).containsExactly(3);
    assertThat(rollout.fresh(new Side(1, 0), List.of(new Side(3, 3)))).isEqualTo(2);
    // Nothing more until one of the new pods is available.
    assertThat(rollout.old(new Side(2, 0), List.of(new Side(3, 3)))).containsExactly(3);
    assertThat(rollout.old(new Side(2, 1), List.of(new Side(3, 3)))).containsExactly(2);
  }

  @Test
  void whatIsBrokenGoesFirst() {
    Rollout rollout = new Rollout(3, 1, 0);
    assertThat(rollout.old(new Side(0, 0), List.of(new Side(1, 1), new Side(3, 2))))
        .containsExactly(1, 2);
  }

  /// Pods become available and break down as they like: the limits hold, and it comes to an end.
  @Test
  void neverMoreOrFewerThanAllowed() {
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      int replicas = random.nextInt(8);
      int surge = random.nextInt(4);
      int unavailable = surge == 0 ? 1 + random.nextInt(3) : random.nextInt(4);
      Rollout rollout = Rollout.of(replicas, new IntOrString(surge), new IntOrString(unavailable));
      List<Side> old = new ArrayList<>(List.of(new Side(replicas, replicas)));
      Side fresh = new Side(0, 0);
      for (int step = 0; !isDone(fresh, old, replicas); step++) {
        assertThat(step).isLessThan(200);
        fresh = new Side(rollout.fresh(fresh, old), fresh.available());
        List<Integer> left = rollout.old(fresh, old);
        for (int i = 0; i < left.size(); i++) {
          // Those that are not available are deleted first.
          old.set(i, new Side(left.get(i), Math.min(left.get(i), old.get(i).available())));
        }
        int available = fresh.available() + old.stream().mapToInt(Side::available).sum();
        assertThat(available).isGreaterThanOrEqualTo(rollout.leastAvailable());
        assertThat(fresh.wanted() + old.stream().mapToInt(Side::wanted).sum())
            .isLessThanOrEqualTo(replicas + surge);
        if (fresh.available() < fresh.wanted() && random.nextBoolean()) {
          fresh = new Side(fresh.wanted(), fresh.available() + 1);
        }
      }
    }
  }

  private static boolean isDone(Side fresh, List<Side> old, int replicas) {
    return fresh.available() == replicas && old.stream().allMatch(side -> side.wanted() == 0);
  }
}
