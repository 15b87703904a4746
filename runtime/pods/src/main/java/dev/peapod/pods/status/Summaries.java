package dev.peapod.pods.status;

import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.supervisor.RestartRules;
import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.PodSummary;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A pod in one line, as `kubectl get pods` condenses it.
public final class Summaries {
  /// Waiting for these is nothing to tell.
  private static final Set<String> ON_THE_WAY = Set.of("ContainerCreating", "PodInitializing", "");

  private Summaries() {}

  /// @param problem what stands in the pod's way as a whole; empty if nothing does
  public static PodSummary of(Pod pod, String problem, long revision) {
    PodStatus status = Optional.ofNullable(pod.getStatus()).orElseGet(PodStatus::new);
    PodSummary.Builder summary =
        PodSummary.newBuilder()
            .setNamespace(pod.getMetadata().getNamespace())
            .setName(pod.getMetadata().getName())
            .setUid(or(pod.getMetadata().getUid()))
            .setPhase(or(status.getPhase()))
            .setStatus(word(pod, status))
            .setMessage(message(status, problem))
            .setTotalContainers(pod.getSpec().getContainers().size() + (int) sidecars(pod))
            .setCreatedNs(nanos(pod.getMetadata().getCreationTimestamp()))
            .setHostIp(or(status.getHostIP()))
            .setRevision(revision);
    if (pod.getMetadata().getLabels() != null) {
      summary.putAllLabels(pod.getMetadata().getLabels());
    }
    status.getPodIPs().forEach(ip -> summary.addIps(ip.getIp()));
    status
        .getConditions()
        .forEach(
            condition ->
                summary
                    .addConditionsBuilder()
                    .setType(condition.getType())
                    .setStatus(condition.getStatus())
                    .setReason(or(condition.getReason()))
                    .setMessage(or(condition.getMessage())));
    int ready = 0;
    int restarts = 0;
    long last = 0;
    for (ContainerStatus container : status.getInitContainerStatuses()) {
      summary.addContainers(container(container, pod.getSpec().getInitContainers(), true));
      if (isSidecar(pod, container)) {
        ready += Boolean.TRUE.equals(container.getReady()) ? 1 : 0;
        restarts += container.getRestartCount();
      }
    }
    for (ContainerStatus container : status.getContainerStatuses()) {
      summary.addContainers(container(container, pod.getSpec().getContainers(), false));
      ready += Boolean.TRUE.equals(container.getReady()) ? 1 : 0;
      restarts += container.getRestartCount();
      ContainerStateTerminated end = terminated(container.getLastState());
      if (end != null) {
        last = Math.max(last, nanos(end.getFinishedAt()));
      }
    }
    for (ContainerStatus container : status.getEphemeralContainerStatuses()) {
      summary.addContainers(
          container(container, EphemeralContainers.of(pod), false).toBuilder().setEphemeral(true));
    }
    return summary
        .setReadyContainers(ready)
        .setRestarts(restarts)
        .setLastRestartNs(restarts > 0 ? last : 0)
        .build();
  }

  private static boolean isSidecar(Pod pod, ContainerStatus init) {
    return pod.getSpec().getInitContainers().stream()
        .anyMatch(c -> c.getName().equals(init.getName()) && RestartRules.isSidecar(c));
  }

  private static long sidecars(Pod pod) {
    return pod.getSpec().getInitContainers().stream().filter(RestartRules::isSidecar).count();
  }

  private static ContainerSummary container(
      ContainerStatus status, List<Container> specs, boolean init) {
    ContainerSummary.Builder summary =
        ContainerSummary.newBuilder()
            .setName(status.getName())
            .setInit(init)
            .setReady(Boolean.TRUE.equals(status.getReady()))
            .setRestarts(status.getRestartCount());
    specs.stream()
        .filter(spec -> spec.getName().equals(status.getName()))
        .findFirst()
        .ifPresent(spec -> summary.setImage(spec.getImage()));
    ContainerState state = status.getState();
    if (state.getWaiting() != null) {
      return summary
          .setState("waiting")
          .setReason(or(state.getWaiting().getReason()))
          .setMessage(or(state.getWaiting().getMessage()))
          .build();
    }
    if (state.getTerminated() != null) {
      return summary
          .setState("terminated")
          .setExitCode(state.getTerminated().getExitCode())
          .setReason(or(state.getTerminated().getReason()))
          .setMessage(or(state.getTerminated().getMessage()))
          .build();
    }
    return summary.setState("running").build();
  }

  /// The STATUS column.
  private static String word(Pod pod, PodStatus status) {
    if (pod.getMetadata().getDeletionTimestamp() != null) {
      return "Terminating";
    }
    String phase = or(status.getPhase());
    List<ContainerStatus> inits = status.getInitContainerStatuses();
    for (int i = 0; i < inits.size(); i++) {
      ContainerState state = inits.get(i).getState();
      ContainerStateTerminated end = terminated(state);
      if (end != null && end.getExitCode() == 0) {
        continue;
      }
      if (isSidecar(pod, inits.get(i)) && Boolean.TRUE.equals(inits.get(i).getStarted())) {
        continue;
      }
      if (end != null && isSidecar(pod, inits.get(i)) && !phase.equals("Pending")) {
        continue;
      }
      if (end != null) {
        return "Init:" + reason(end);
      }
      if (state.getWaiting() != null && !ON_THE_WAY.contains(or(state.getWaiting().getReason()))) {
        return "Init:" + state.getWaiting().getReason();
      }
      return "Init:" + i + "/" + inits.size();
    }
    String word = or(status.getReason()).isEmpty() ? phase : or(status.getReason());
    boolean running = false;
    List<ContainerStatus> containers = status.getContainerStatuses();
    for (ContainerStatus container : containers.reversed()) {
      ContainerState state = container.getState();
      ContainerStateTerminated end = terminated(state);
      if (state.getWaiting() != null && !or(state.getWaiting().getReason()).isEmpty()) {
        word = state.getWaiting().getReason();
      } else if (end != null) {
        word = reason(end);
      } else if (state.getRunning() != null && Boolean.TRUE.equals(container.getReady())) {
        running = true;
      }
    }
    if (word.equals("Completed") && running) {
      return "Running";
    }
    return word;
  }

  private static String reason(ContainerStateTerminated end) {
    return or(end.getReason()).isEmpty() ? "ExitCode:" + end.getExitCode() : end.getReason();
  }

  private static String message(PodStatus status, String problem) {
    if (!problem.isEmpty()) {
      return problem;
    }
    for (List<ContainerStatus> list :
        List.of(status.getInitContainerStatuses(), status.getContainerStatuses())) {
      for (ContainerStatus container : list) {
        ContainerState state = container.getState();
        if (state.getWaiting() != null
            && !ON_THE_WAY.contains(or(state.getWaiting().getReason()))
            && !or(state.getWaiting().getMessage()).isEmpty()) {
          return container.getName() + ": " + state.getWaiting().getMessage();
        }
        ContainerStateTerminated end = terminated(state);
        if (end != null && end.getExitCode() != 0) {
          String why = or(end.getMessage());
          return container.getName()
              + ": "
              + (why.isEmpty() ? reason(end) + " (exit code " + end.getExitCode() + ")" : why);
        }
      }
    }
    return "";
  }

  private static @Nullable ContainerStateTerminated terminated(@Nullable ContainerState state) {
    return state == null ? null : state.getTerminated();
  }

  private static long nanos(@Nullable String time) {
    return time == null || time.isEmpty()
        ? 0
        : Instant.parse(time).getEpochSecond() * 1_000_000_000L;
  }

  private static String or(@Nullable String text) {
    return text == null ? "" : text;
  }
}
