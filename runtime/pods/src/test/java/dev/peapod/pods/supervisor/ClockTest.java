package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Probes while the machine's clock is put forward and back.
@Timeout(120)
class ClockTest extends FleetCase {
  private static final int PROBES = 3;

  private final AtomicInteger probes = new AtomicInteger();
  private volatile Duration ahead = Duration.ZERO;

  @Override
  void startFleet() {
    fleet = new Fleet(new Cri(channel), config, () -> Instant.now().plus(ahead), pods -> {});
    fleet.start();
  }

  private void applyProbed() throws InterruptedException {
    runtime.exec =
        request -> {
          probes.incrementAndGet();
          return 0;
        };
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', livenessProbe: {exec: {command: [live]}, periodSeconds: 1}}"));
    await().until(() -> probes.get() > 0);
  }

  @Test
  void jumpsFireNoBursts() throws Exception {
    applyProbed();
    for (Duration jump : new Duration[] {Duration.ofDays(1), Duration.ofDays(-1), Duration.ZERO}) {
      ahead = jump;
      int before = probes.get();
      long begun = System.nanoTime();
      await().until(() -> probes.get() >= before + PROBES);
      // One was due already, and one is counted while we look.
      long most = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun) + 2;
      assertThat(probes.get() - before).isLessThanOrEqualTo((int) most);
    }
    assertThat(container(WEB, "a").getRestartCount()).isZero();
  }

  @Test
  void aClockThatIsBehindTheStartDelaysNothing() throws Exception {
    ahead = Duration.ofDays(-1);
    applyProbed();
    assertThat(container(WEB, "a").getRestartCount()).isZero();
  }
}
