package dev.peapod.pods.supervisor;

import dev.peapod.pods.node.HostFacts;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateTerminatedBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.HostIP;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Makes a pod's status as kubelet would report it. For one pod's worker; it remembers when
/// conditions last changed.
final class StatusReport {
  private static final String MARK = "://";

  /// Why a pod as a whole has failed, whatever its containers did.
  record Failure(String reason, String message) {}

  private final Map<String, PodCondition> conditions = new HashMap<>();
  private final String startTime;
  private final Supplier<String> runtime;

  /// @param earlier what was reported before this daemon started, if it was
  /// @param runtime what the runtime calls itself
  StatusReport(@Nullable PodStatus earlier, Supplier<String> runtime, Instant now) {
    this.runtime = runtime;
    String start = earlier == null ? null : earlier.getStartTime();
    startTime = start == null ? text(now) : start;
    if (earlier != null) {
      earlier.getConditions().forEach(condition -> conditions.put(condition.getType(), condition));
    }
  }

  /// When the pod was first seen.
  Instant startTime() {
    return instant(startTime);
  }

  /// The failure that was reported before this daemon started.
  static Optional<Failure> failure(@Nullable PodStatus earlier) {
    if (earlier == null || earlier.getReason() == null || earlier.getReason().isEmpty()) {
      return Optional.empty();
    }
    String message = earlier.getMessage() == null ? "" : earlier.getMessage();
    return Optional.of(new Failure(earlier.getReason(), message));
  }

  /// @param failure of the pod as a whole; it is Failed once nothing runs any more
  PodStatus report(
      Pod pod,
      Slots slots,
      boolean sandbox,
      List<String> ips,
      Optional<Failure> failure,
      Instant now) {
    List<ContainerSlot> inits = slots.inits();
    List<ContainerSlot> mains = slots.mains();
    String phase = failure.isPresent() ? PodPhase.FAILED : slots.phase(pod);
    if (PodPhase.isFinal(phase) && slots.all().anyMatch(ContainerSlot::isAlive)) {
      phase = PodPhase.RUNNING;
    }
    boolean finished = PodPhase.isFinal(phase);
    boolean initialized = inits.stream().allMatch(ContainerSlot::isInitialized);
    List<String> unready =
        Stream.concat(
                inits.stream().filter(slot -> slot.role == ContainerSlot.Role.SIDECAR),
                mains.stream())
            .filter(slot -> !slot.ready)
            .map(ContainerSlot::name)
            .toList();
    List<PodCondition> all =
        conditions(finished, phase, initialized, sandbox, inits, mains, unready, now);
    failure
        .filter(f -> f.reason().equals("Evicted"))
        .map(f -> condition("DisruptionTarget", true, "TerminationByKubelet", f.message(), now))
        .ifPresent(all::add);
    String hostIp = HostFacts.address();
    List<String> podIps =
        SandboxConfigs.isTrue(pod.getSpec().getHostNetwork()) && sandbox ? List.of(hostIp) : ips;
    PodStatusBuilder status =
        new PodStatusBuilder()
            .withPhase(phase)
            .withQosClass(Resources.qosClass(pod))
            .withStartTime(startTime)
            .withHostIP(hostIp)
            .withHostIPs(new HostIP(hostIp))
            .withConditions(all)
            .withInitContainerStatuses(
                inits.stream().map(slot -> container(slot, inits)).toList())
            .withContainerStatuses(
                mains.stream().map(slot -> container(slot, inits)).toList())
            .withEphemeralContainerStatuses(
                slots.ephemerals().stream().map(slot -> container(slot, inits)).toList());
    failure.ifPresent(f -> status.withReason(f.reason()).withMessage(f.message()));
    if (!podIps.isEmpty()) {
      status.withPodIP(podIps.getFirst());
      status.withPodIPs(podIps.stream().map(PodIP::new).toList());
    }
    return status.build();
  }

  private List<PodCondition> conditions(
      boolean finished,
      String phase,
      boolean initialized,
      boolean sandbox,
      List<ContainerSlot> inits,
      List<ContainerSlot> mains,
      List<String> unready,
      Instant now) {
    List<PodCondition> result = new ArrayList<>();
    result.add(condition("PodReadyToStartContainers", sandbox, "", "", now));
    String completed = finished && phase.equals("Succeeded") ? "PodCompleted" : "";
    if (initialized) {
      result.add(condition("Initialized", true, completed, "", now));
    } else {
      String names =
          inits.stream()
              .filter(s -> !s.isInitialized())
              .map(ContainerSlot::name)
              .collect(Collectors.joining(" "));
      result.add(
          condition(
              "Initialized",
              false,
              "ContainersNotInitialized",
              "containers with incomplete status: [" + names + "]",
              now));
    }
    boolean ready = unready.isEmpty() && !finished;
    String reason =
        ready
            ? ""
            : finished ? (completed.isEmpty() ? "PodFailed" : completed) : "ContainersNotReady";
    String message =
        ready || finished
            ? ""
            : "containers with unready status: [" + String.join(" ", unready) + "]";
    result.add(condition("Ready", ready, reason, message, now));
    result.add(condition("ContainersReady", ready, reason, message, now));
    result.add(condition("PodScheduled", true, "", "", now));
    Optional<String> refused =
        Stream.concat(inits.stream(), mains.stream())
            .map(slot -> slot.resizeProblem)
            .filter(problem -> !problem.isEmpty())
            .findFirst();
    if (refused.isPresent()) {
      result.add(condition("PodResizePending", true, "Infeasible", refused.get(), now));
    } else {
      conditions.remove("PodResizePending");
    }
    return result;
  }

  private PodCondition condition(
      String type, boolean status, String reason, String message, Instant now) {
    String word = status ? "True" : "False";
    PodCondition before = conditions.get(type);
    String since =
        before != null && word.equals(before.getStatus())
            ? before.getLastTransitionTime()
            : text(now);
    PodConditionBuilder builder =
        new PodConditionBuilder().withType(type).withStatus(word).withLastTransitionTime(since);
    if (!reason.isEmpty()) {
      builder.withReason(reason);
    }
    if (!message.isEmpty()) {
      builder.withMessage(message);
    }
    PodCondition condition = builder.build();
    conditions.put(type, condition);
    return condition;
  }

  private ContainerStatus container(ContainerSlot slot, List<ContainerSlot> inits) {
    ContainerStatusBuilder status =
        new ContainerStatusBuilder()
            .withName(slot.name())
            .withImage(
                slot.isAlive() && slot.instance != null
                    ? slot.instance.getImage()
                    : slot.spec.getImage())
            .withImageID(slot.imageId)
            .withRestartCount(slot.restarts())
            .withReady(slot.role == ContainerSlot.Role.INIT ? slot.succeeded() : slot.ready)
            .withStarted(slot.started);
    resources(slot, status);
    boolean waits =
        slot.state == ContainerSlot.State.WAITING
            || slot.state == ContainerSlot.State.STARTING
            || !slot.waitingReason.isEmpty();
    String id = slot.containerId;
    if (slot.state == ContainerSlot.State.EXITED && slot.ended != null) {
      id = slot.ended.containerId();
    }
    if (!id.isEmpty()) {
      status.withContainerID(full(id));
    }
    if (waits) {
      String reason = slot.waitingReason;
      if (reason.isEmpty()) {
        reason = isBehind(slot, inits) ? "PodInitializing" : "ContainerCreating";
      }
      var waiting = new ContainerStateBuilder().withNewWaiting().withReason(reason);
      if (!slot.waitingMessage.isEmpty()) {
        waiting.withMessage(slot.waitingMessage);
      }
      status.withState(waiting.endWaiting().build());
      if (slot.ended != null) {
        status.withLastState(terminated(slot.ended));
      } else if (slot.last != null) {
        status.withLastState(terminated(slot.last));
      }
      return status.build();
    }
    if (slot.last != null) {
      status.withLastState(terminated(slot.last));
    }
    if (slot.state == ContainerSlot.State.EXITED && slot.ended != null) {
      status.withState(terminated(slot.ended));
    } else {
      status.withState(
          new ContainerStateBuilder()
              .withNewRunning()
              .withStartedAt(text(slot.startedAt))
              .endRunning()
              .build());
    }
    return status.build();
  }

  /// What has been promised to a container, and what a running one has.
  private static void resources(ContainerSlot slot, ContainerStatusBuilder status) {
    ResourceRequirements asked = slot.spec.getResources();
    if (asked != null && asked.getRequests() != null && !asked.getRequests().isEmpty()) {
      status.withAllocatedResources(asked.getRequests());
    }
    if (slot.isAlive() && slot.instance != null && slot.instance.getResources() != null) {
      status.withResources(slot.instance.getResources());
    }
  }

  /// Whether a container waits for an init container.
  private static boolean isBehind(ContainerSlot slot, List<ContainerSlot> inits) {
    if (slot.role == ContainerSlot.Role.EPHEMERAL) {
      return false;
    }
    for (ContainerSlot init : inits) {
      if (init == slot) {
        return false;
      }
      if (!init.isInitialized()) {
        return true;
      }
    }
    return false;
  }

  private ContainerState terminated(Termination end) {
    ContainerStateTerminatedBuilder terminated =
        new ContainerStateTerminatedBuilder()
            .withExitCode(end.exitCode())
            .withReason(end.reason())
            .withStartedAt(text(end.startedAt()))
            .withFinishedAt(text(end.finishedAt()));
    if (!end.containerId().isEmpty()) {
      terminated.withContainerID(full(end.containerId()));
    }
    if (end.exitCode() > 128 && end.exitCode() <= 128 + 64) {
      terminated.withSignal(end.exitCode() - 128);
    }
    if (!end.message().isEmpty()) {
      terminated.withMessage(end.message());
    }
    return new ContainerStateBuilder().withTerminated(terminated.build()).build();
  }

  /// What [#terminated] wrote.
  static Termination termination(ContainerStateTerminated terminated, int attempt) {
    return new Termination(
        bare(terminated.getContainerID()),
        attempt,
        terminated.getExitCode() == null ? 0 : terminated.getExitCode(),
        terminated.getReason() == null ? "" : terminated.getReason(),
        terminated.getMessage() == null ? "" : terminated.getMessage(),
        instant(terminated.getStartedAt()),
        instant(terminated.getFinishedAt()));
  }

  /// The end of an instance that was reported as running and can not be found.
  static Termination lost(ContainerStatus running, int attempt, Instant now) {
    return new Termination(
        bare(running.getContainerID()),
        attempt,
        137,
        "ContainerStatusUnknown",
        "The container could not be located when the pod was looked at",
        instant(running.getState().getRunning().getStartedAt()),
        now);
  }

  /// A container's id as status has it: `containerd://8a2b...`.
  private String full(String id) {
    return runtime.get() + MARK + id;
  }

  /// A container's id as the runtime has it.
  static String bare(@Nullable String id) {
    return id == null ? "" : id.substring(id.indexOf(MARK) < 0 ? 0 : id.indexOf(MARK) + MARK.length());
  }

  private static Instant instant(@Nullable String text) {
    return text == null || text.isEmpty() ? Instant.EPOCH : Instant.parse(text);
  }

  static String text(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
