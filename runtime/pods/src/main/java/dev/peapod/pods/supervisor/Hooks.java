package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.probe.ProbeAction;
import dev.peapod.pods.probe.ProbeResult;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.LifecycleHandler;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The hooks of a container's life: after its start and before its end.
final class Hooks {
  /// Hooks after the start have no time limit of their own; this one only bounds a single request.
  private static final Duration REQUEST = Duration.ofSeconds(30);

  private static final long LOOK_MILLIS = 200;

  /// What a container that is stopped gets at least after its hook has used up the time.
  private static final long LEAST_SECONDS = 2;

  private Hooks() {}

  static @Nullable LifecycleHandler postStart(Container container) {
    return container.getLifecycle() == null ? null : container.getLifecycle().getPostStart();
  }

  /// Runs a container's hook after its start on a thread of its own and tells how it went.
  static Thread afterStart(
      Shared shared,
      Pod pod,
      ContainerSlot slot,
      LifecycleHandler hook,
      String podIp,
      Consumer<Message> worker) {
    Container spec = slot.spec;
    String id = slot.containerId;
    return Thread.ofVirtual()
        .name("postStart " + slot.name())
        .start(
            () -> {
              try {
                ProbeResult result =
                    run(shared, pod, spec, id, hook, podIp, () -> Long.MAX_VALUE);
                worker.accept(
                    new Message.PostStarted(slot, id, result.success(), result.message()));
              } catch (InterruptedException e) {
                // The container has ended.
              }
            });
  }

  /// Ends a running container as its manifest says: hook, stop signal, and the kill when the time
  /// is over.
  ///
  /// @param grace seconds for all of it, counted from now; it may become less meanwhile
  /// @throws InterruptedException if the thread is interrupted in the hook
  static void stop(
      Shared shared, Pod pod, Container spec, String id, String podIp, LongSupplier grace)
      throws InterruptedException {
    long begun = System.nanoTime();
    LifecycleHandler hook = spec.getLifecycle() == null ? null : spec.getLifecycle().getPreStop();
    if (hook != null && grace.getAsLong() > 0) {
      ProbeResult result =
          run(shared, pod, spec, id, hook, podIp, () -> grace.getAsLong() - secondsSince(begun));
      if (!result.success()) {
        shared
            .events()
            .warning(
                PodKey.of(pod),
                spec.getName(),
                "FailedPreStopHook",
                "PreStopHook failed: " + result.message());
      }
    }
    long whole = grace.getAsLong();
    long rest = Math.max(whole - secondsSince(begun), Math.min(whole, LEAST_SECONDS));
    shared.cri().stopContainer(id, rest);
  }

  private static long secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1_000_000_000L;
  }

  private static ProbeResult run(
      Shared shared,
      Pod pod,
      Container spec,
      String id,
      LifecycleHandler hook,
      String podIp,
      LongSupplier seconds)
      throws InterruptedException {
    if (hook.getSleep() != null) {
      return sleep(hook.getSleep().getSeconds(), seconds);
    }
    boolean bounded = seconds.getAsLong() < Long.MAX_VALUE;
    Duration limit = bounded ? Duration.ofSeconds(Math.max(1, seconds.getAsLong())) : Duration.ZERO;
    if (hook.getExec() != null) {
      return Probes.exec(shared.cri(), id, hook.getExec().getCommand(), limit);
    }
    Optional<ProbeAction.Http> action =
        Probes.http(hook.getHttpGet(), spec, Probes.address(pod, podIp));
    if (action.isEmpty()) {
      return new ProbeResult(false, "the hook names a port that the container does not have");
    }
    Duration time = bounded && limit.compareTo(REQUEST) < 0 ? limit : REQUEST;
    ProbeResult result = action.get().reach(time);
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    return result;
  }

  private static ProbeResult sleep(long wanted, LongSupplier seconds) throws InterruptedException {
    long end = System.nanoTime() + wanted * 1_000_000_000L;
    while (System.nanoTime() < end && seconds.getAsLong() > 0) {
      Thread.sleep(Math.min(LOOK_MILLIS, Math.max(1, (end - System.nanoTime()) / 1_000_000)));
    }
    return new ProbeResult(true, "");
  }
}
