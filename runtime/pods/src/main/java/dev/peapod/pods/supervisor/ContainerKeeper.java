package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.probe.ProbeKind;
import dev.peapod.pods.supervisor.ContainerSlot.Role;
import dev.peapod.pods.volume.PodVolumes;
import dev.peapod.proto.runtime.v1.ContainerState;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.LifecycleHandler;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What becomes of a pod's containers: starts, ends, restarts with back-off, probes. It changes the
/// [ContainerSlot]s that it is given, on the thread of the pod's worker alone.
final class ContainerKeeper {
  private static final Logger LOG = System.getLogger(ContainerKeeper.class.getName());

  private final Shared shared;
  private final PodKey key;
  private final String uid;
  private final PodPaths paths;
  private final PodVolumes volumes;
  private final Consumer<Message> worker;

  ContainerKeeper(
      Shared shared, Pod pod, PodPaths paths, PodVolumes volumes, Consumer<Message> worker) {
    this.shared = shared;
    this.key = PodKey.of(pod);
    this.uid = pod.getMetadata().getUid();
    this.paths = paths;
    this.volumes = volumes;
    this.worker = worker;
  }

  // --- when to run

  /// Not before then a container that wants to run may be started; nothing means at once.
  static Optional<Instant> dueAt(ContainerSlot slot) {
    Optional<Instant> due = slot.retryAt;
    if (slot.ended != null) {
      Instant afterCrash = slot.crashes.due(slot.ended.finishedAt());
      due = Optional.of(due.filter(afterCrash::isBefore).orElse(afterCrash));
    }
    return due;
  }

  /// Begins to start the container, if it is to run and its back-off is over.
  void runIfDue(Pod pod, ContainerSlot slot, SandboxKeeper sandbox) {
    if (slot.isBusy() || !RestartRules.wantsToRun(pod, slot)) {
      return;
    }
    Instant now = shared.clock().instant();
    Optional<Instant> due = dueAt(slot);
    if (due.isPresent() && now.isBefore(due.get())) {
      if (slot.waitingReason.isEmpty() && slot.ended != null) {
        backingOff(slot, slot.ended);
      }
      return;
    }
    if (slot.ended != null) {
      slot.crashes.tried(slot.ended.finishedAt(), now);
    } else {
      slot.state = ContainerSlot.State.STARTING;
    }
    if (!isAboutImage(slot.waitingReason)) {
      slot.waiting("", "");
    }
    slot.retryAt = Optional.empty();
    ContainerStart start =
        new ContainerStart(
            shared,
            pod,
            slot,
            slot.nextAttempt,
            sandbox.id(),
            sandbox.config(pod),
            sandbox.ips(),
            volumes,
            worker);
    slot.operation = Thread.ofVirtual().name("start " + key + " " + slot.name()).start(start);
  }

  private void backingOff(ContainerSlot slot, Termination end) {
    if (end.reason().equals(Termination.NOT_STARTED)) {
      slot.waiting("RunContainerError", end.message());
    } else {
      slot.waiting(
          "CrashLoopBackOff",
          "back-off %ds restarting failed container=%s pod=%s_%s(%s)"
              .formatted(
                  slot.crashes.delay().toSeconds(), slot.name(), key.name(), key.namespace(), uid));
    }
    shared
        .events()
        .warning(
            key,
            slot.name(),
            "BackOff",
            "Back-off restarting failed container " + slot.name() + " in pod " + key.name());
  }

  private static boolean isAboutImage(String reason) {
    return reason.startsWith("ErrImage") || reason.startsWith("ImagePull");
  }

  /// Brings a running container in line with its manifest where that has changed: another image
  /// restarts it, other resources are given to it, or restart it where it says so.
  void conform(Pod pod, ContainerSlot slot, SandboxKeeper sandbox) {
    Container before = slot.instance;
    if (slot.state != ContainerSlot.State.RUNNING || slot.isBusy() || before == null) {
      return;
    }
    if (!before.getImage().equals(slot.spec.getImage())) {
      replace(pod, slot, sandbox.ip(), "definition changed, will be restarted");
      return;
    }
    if (!slot.resizeProblem.isEmpty()) {
      return;
    }
    Set<String> changed = Resources.changes(before, slot.spec);
    if (changed.isEmpty()) {
      return;
    }
    boolean restarts =
        slot.spec.getResizePolicy().stream()
            .filter(policy -> changed.contains(policy.getResourceName()))
            .anyMatch(policy -> policy.getRestartPolicy().equals("RestartContainer"));
    if (restarts) {
      replace(pod, slot, sandbox.ip(), "resize requires a restart");
    } else {
      resize(pod, slot, before, sandbox.id());
    }
  }

  private void replace(Pod pod, ContainerSlot slot, String podIp, String why) {
    slot.restartWanted = true;
    slot.crashes.clear();
    stop(pod, slot, podIp, "Container " + slot.name() + " " + why, grace(pod));
  }

  private void resize(Pod pod, ContainerSlot slot, Container before, String sandboxId) {
    Container spec = slot.spec;
    String id = slot.containerId;
    // More goes to the pod before the container has it, less after the container has let it go.
    boolean first = Resources.isMore(before, spec);
    slot.operation =
        Thread.ofVirtual()
            .name("resize " + key + " " + slot.name())
            .start(
                () -> {
                  String problem = "";
                  try {
                    if (first) {
                      shared.cri().updateSandbox(sandboxId, Resources.ofPod(pod));
                    }
                    shared.cri().updateContainer(id, Resources.of(pod, spec));
                    if (!first) {
                      shared.cri().updateSandbox(sandboxId, Resources.ofPod(pod));
                    }
                  } catch (PeapodException e) {
                    problem = String.valueOf(e.getMessage());
                  }
                  worker.accept(new Message.Resized(slot, id, spec, problem));
                });
  }

  void resized(Message.Resized resized) {
    ContainerSlot slot = resized.slot();
    slot.operation = null;
    if (!slot.containerId.equals(resized.containerId())
        || slot.state != ContainerSlot.State.RUNNING) {
      return;
    }
    if (resized.problem().isEmpty()) {
      slot.instance = resized.spec();
      shared
          .events()
          .normal(key, slot.name(), "ResizeCompleted", "Resources of the container were changed");
    } else {
      slot.resizeProblem = resized.problem();
      shared.events().warning(key, slot.name(), "ResizeError", resized.problem());
    }
  }

  // --- how it went

  /// @return whether there is something to be written down
  boolean started(Pod pod, Message.Started started, String podIp) {
    ContainerSlot slot = started.slot();
    slot.operation = null;
    slot.nextAttempt = started.attempt() + 1;
    Termination older = slot.last;
    slot.running(started.containerId(), started.imageId(), started.at(), started.spec());
    slot.pulls.clear();
    // The instance before stays for its log and status, older ones go.
    if (older != null && older != slot.last) {
      remove(older.containerId());
    }
    shared.look().run();
    LifecycleHandler hook = Hooks.postStart(slot.spec);
    if (hook == null) {
      Probes.begin(shared, pod, slot, podIp, worker);
    } else {
      slot.endProbes();
      slot.hook = Hooks.afterStart(shared, pod, slot, hook, podIp, worker);
    }
    return slot.last != null;
  }

  /// The hook after the start has ended: the container's probes begin, or the container ends.
  void postStarted(Pod pod, Message.PostStarted hook, String podIp) {
    ContainerSlot slot = hook.slot();
    if (slot.state != ContainerSlot.State.RUNNING || !slot.containerId.equals(hook.containerId())) {
      return;
    }
    slot.hook = null;
    if (hook.success()) {
      Probes.begin(shared, pod, slot, podIp, worker);
      return;
    }
    shared
        .events()
        .warning(
            key, slot.name(), "FailedPostStartHook", "PostStartHook failed: " + hook.message());
    stop(pod, slot, podIp, "FailedPostStartHook", grace(pod));
  }

  void notCreated(Message.NotCreated failed) {
    ContainerSlot slot = failed.slot();
    slot.operation = null;
    if (slot.state == ContainerSlot.State.STARTING) {
      slot.state = ContainerSlot.State.WAITING;
    }
    boolean again = isAboutImage(slot.waitingReason) && failed.reason().equals("ErrImagePull");
    Instant now = shared.clock().instant();
    slot.pulls.tried(now, now);
    slot.retryAt = Optional.of(slot.pulls.due(now));
    slot.waiting(again ? "ImagePullBackOff" : failed.reason(), failed.message());
  }

  void notStarted(Message.NotStarted failed) {
    ContainerSlot slot = failed.slot();
    slot.operation = null;
    slot.nextAttempt = failed.attempt() + 1;
    slot.containerId = failed.containerId();
    end(
        slot,
        Termination.notStarted(
            failed.containerId(), failed.attempt(), failed.message(), shared.clock().instant()));
  }

  void stopped(Message.Stopped stopped) {
    stopped.slot().operation = null;
    stopped.slot().changedAt = System.nanoTime();
    shared.look().run();
  }

  /// Compares a container with what the runtime has.
  ///
  /// @return whether it has ended
  boolean compare(Pod pod, ContainerSlot slot, Message.Observed observed, String podIp) {
    if (observed.begunAt() <= slot.changedAt) {
      return false;
    }
    List<dev.peapod.proto.runtime.v1.Container> containers = observed.containers();
    if (!slot.isBusy()) {
      // Left by a create whose answer never came; it would stand in the way of the next one.
      containers.stream()
          .filter(c -> c.getState() == ContainerState.CONTAINER_CREATED)
          .filter(c -> c.getMetadata().getName().equals(slot.name()))
          .forEach(c -> remove(c.getId()));
    }
    if (!slot.isAlive()) {
      return false;
    }
    Optional<dev.peapod.proto.runtime.v1.Container> found =
        containers.stream().filter(c -> c.getId().equals(slot.containerId)).findFirst();
    if (found.isEmpty() || found.get().getState() == ContainerState.CONTAINER_EXITED) {
      exited(slot);
      return true;
    }
    if (slot.state == ContainerSlot.State.STOPPING && !slot.isBusy()) {
      kill(pod, slot, podIp, grace(pod));
    }
    return false;
  }

  /// The container is known to run no more.
  void exited(ContainerSlot slot) {
    Termination end =
        Adoption.termination(shared.cri(), paths, slot, slot.containerId, slot.restarts());
    if (!end.message().isEmpty()) {
      shared
          .events()
          .warning(
              key,
              slot.name(),
              "Exited",
              "Container %s ended with exit code %d (%s): %s"
                  .formatted(
                      slot.name(),
                      end.exitCode(),
                      end.reason(),
                      end.message().lines().findFirst().orElse("")));
    }
    end(slot, end);
  }

  private void end(ContainerSlot slot, Termination termination) {
    Termination older = slot.last;
    slot.exited(termination);
    if (older != null && older != slot.last) {
      remove(older.containerId());
    }
  }

  private void remove(String id) {
    if (!id.isEmpty()) {
      Thread.startVirtualThread(
          () -> {
            try {
              shared.cri().removeContainer(id);
            } catch (PeapodException e) {
              LOG.log(Logger.Level.DEBUG, "pod " + key + ": " + e.getMessage());
            }
          });
    }
  }

  // --- probes

  void probed(Pod pod, Message.Probed probed, String podIp) {
    ContainerSlot slot = probed.slot();
    if (slot.state != ContainerSlot.State.RUNNING
        || !slot.containerId.equals(probed.containerId())) {
      return;
    }
    switch (probed.kind()) {
      case READINESS -> slot.ready = probed.success();
      case STARTUP -> {
        if (probed.success()) {
          Probes.started(shared, pod, slot, podIp, worker);
        } else {
          unhealthy(pod, slot, probed.kind(), slot.spec.getStartupProbe(), podIp);
        }
      }
      case LIVENESS -> {
        if (!probed.success()) {
          unhealthy(pod, slot, probed.kind(), slot.spec.getLivenessProbe(), podIp);
        }
      }
    }
  }

  private void unhealthy(
      Pod pod, ContainerSlot slot, ProbeKind kind, @Nullable Probe probe, String podIp) {
    boolean again = RestartRules.runsAgain(pod, slot.spec, slot.role != Role.MAIN, 1);
    String what = kind.word().toLowerCase(Locale.ROOT);
    Long own = probe == null ? null : probe.getTerminationGracePeriodSeconds();
    stop(
        pod,
        slot,
        podIp,
        "Container "
            + slot.name()
            + " failed "
            + what
            + " probe, will be "
            + (again ? "restarted" : "killed"),
        own != null ? own : grace(pod));
  }

  /// Ends a running container; what becomes of it then is a matter of its policy.
  ///
  /// @param why for the event
  void stop(Pod pod, ContainerSlot slot, String podIp, String why, long seconds) {
    shared.events().normal(key, slot.name(), "Killing", why);
    slot.endProbes();
    slot.state = ContainerSlot.State.STOPPING;
    kill(pod, slot, podIp, seconds);
  }

  static long grace(Pod pod) {
    return pod.getSpec().getTerminationGracePeriodSeconds();
  }

  private void kill(Pod pod, ContainerSlot slot, String podIp, long seconds) {
    String id = slot.containerId;
    var spec = slot.spec;
    slot.operation =
        Thread.ofVirtual()
            .name("stop " + key + " " + slot.name())
            .start(
                () -> {
                  try {
                    Hooks.stop(shared, pod, spec, id, podIp, () -> seconds);
                  } catch (PeapodException e) {
                    String why = "can not stop container: " + e.getMessage();
                    shared.events().warning(key, slot.name(), "FailedKillPod", why);
                  } catch (InterruptedException e) {
                    // The pod itself ends now.
                  }
                  worker.accept(new Message.Stopped(slot, id));
                });
  }

  /// Has containers that lacked a document be tried again at once.
  static void retryNow(List<ContainerSlot> slots) {
    slots.stream()
        .filter(slot -> slot.waitingReason.equals("CreateContainerConfigError"))
        .forEach(slot -> slot.retryAt = Optional.empty());
  }

  /// Has running containers stop within less time than they were given before.
  void hurry(List<ContainerSlot> slots, Duration grace) {
    for (ContainerSlot slot : slots) {
      String id = slot.containerId;
      if (!id.isEmpty()) {
        Thread.startVirtualThread(
            () -> {
              try {
                shared.cri().stopContainer(id, grace.toSeconds());
              } catch (PeapodException e) {
                LOG.log(Logger.Level.DEBUG, "pod " + key + ": " + e.getMessage());
              }
            });
      }
    }
  }
}
