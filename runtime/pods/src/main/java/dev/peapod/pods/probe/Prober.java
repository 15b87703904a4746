package dev.peapod.pods.probe;

import java.time.Duration;
import java.util.Optional;

/// Runs one probe of one container again and again on a virtual thread of its own.
public final class Prober implements AutoCloseable {
  /// Told from the prober's thread; must not block for long.
  public interface Listener {
    /// Every failed probe, also those below the threshold.
    void failed(ProbeKind kind, ProbeResult result);

    /// The verdict changed, or a first one is there.
    void verdict(ProbeKind kind, boolean success, ProbeResult result);
  }

  private final ProbePlan plan;
  private final ProbeAction.CommandRunner runner;
  private final Listener listener;
  private final Thread thread;
  private volatile boolean closed;

  private Prober(
      String name,
      ProbePlan plan,
      ProbeAction.CommandRunner runner,
      Duration age,
      Listener listener) {
    this.plan = plan;
    this.runner = runner;
    this.listener = listener;
    this.thread = Thread.ofVirtual().name(name).unstarted(() -> run(age));
  }

  /// Begins to probe.
  ///
  /// @param age how long the container has been running; it counts towards the initial delay
  public static Prober start(
      String name,
      ProbePlan plan,
      ProbeAction.CommandRunner runner,
      Duration age,
      Listener listener) {
    Prober prober = new Prober(name, plan, runner, age, listener);
    prober.thread.start();
    return prober;
  }

  private void run(Duration age) {
    ProbeCounter counter = new ProbeCounter(plan.successThreshold(), plan.failureThreshold());
    Optional<Boolean> known = Optional.empty();
    try {
      Duration delay = plan.initialDelay().minus(age);
      if (delay.isPositive()) {
        Thread.sleep(delay);
      }
      long period = plan.period().toNanos();
      long due = System.nanoTime();
      while (!closed) {
        ProbeResult result = plan.action().perform(plan.timeout(), runner);
        if (closed) {
          return;
        }
        if (!result.success()) {
          listener.failed(plan.kind(), result);
        }
        Optional<Boolean> verdict = counter.add(result.success());
        if (verdict.isPresent() && !verdict.equals(known)) {
          known = verdict;
          listener.verdict(plan.kind(), verdict.get(), result);
        }
        // Due times stand fast; those that a slow probe has missed are passed over.
        long now = System.nanoTime();
        due += period * Math.max(1, (now - due + period - 1) / period);
        Thread.sleep(Duration.ofNanos(due - now));
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /// Ends the probing; nothing is told any more, except by a call that has begun. Does not wait.
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
