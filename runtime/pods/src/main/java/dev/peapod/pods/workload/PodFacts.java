package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a pod's status says, as controllers and services ask.
public final class PodFacts {
  /// Whom to miss least comes first: what does not run yet, what is not ready, what restarts most,
  /// the youngest.
  static final Comparator<Pod> LEAST_MISSED =
      Comparator.<Pod, Boolean>comparing(pod -> phase(pod).equals("Running"))
          .thenComparing(PodFacts::isReady)
          .thenComparing(PodFacts::restarts, Comparator.reverseOrder())
          .thenComparing(pod -> pod.getMetadata().getCreationTimestamp(), Comparator.reverseOrder())
          .thenComparing(pod -> pod.getMetadata().getName());

  private PodFacts() {}

  static String phase(Pod pod) {
    PodStatus status = pod.getStatus();
    return status == null || status.getPhase() == null ? "Pending" : status.getPhase();
  }

  /// Whether it has ended for good.
  public static boolean isFinished(Pod pod) {
    return hasSucceeded(pod) || phase(pod).equals("Failed");
  }

  static boolean hasSucceeded(Pod pod) {
    return phase(pod).equals("Succeeded");
  }

  /// Whether its condition `Ready` says so.
  public static boolean isReady(Pod pod) {
    return ready(pod).isPresent();
  }

  private static Optional<PodCondition> ready(Pod pod) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getConditions().stream()
            .filter(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()))
            .findFirst();
  }

  static Optional<Instant> readySince(Pod pod) {
    return ready(pod).map(PodCondition::getLastTransitionTime).map(Instant::parse);
  }

  /// From when on a ready pod counts as available.
  static Optional<Instant> availableAt(Pod pod, @Nullable Integer minReadySeconds) {
    int seconds = minReadySeconds == null ? 0 : minReadySeconds;
    return readySince(pod).map(since -> since.plusSeconds(seconds));
  }

  static int restarts(Pod pod) {
    return pod.getStatus() == null
        ? 0
        : Stream.concat(
                pod.getStatus().getInitContainerStatuses().stream(),
                pod.getStatus().getContainerStatuses().stream())
            .mapToInt(status -> status.getRestartCount() == null ? 0 : status.getRestartCount())
            .sum();
  }

  /// When the last container of a pod ended; nothing if none has.
  static Optional<Instant> endedAt(Pod pod) {
    return pod.getStatus() == null
        ? Optional.empty()
        : Stream.concat(
                pod.getStatus().getInitContainerStatuses().stream(),
                pod.getStatus().getContainerStatuses().stream())
            .filter(
                status -> status.getState() != null && status.getState().getTerminated() != null)
            .map(status -> status.getState().getTerminated().getFinishedAt())
            .map(Instant::parse)
            .max(Comparator.naturalOrder());
  }

  /// A label's value, empty if there is none.
  static String label(Pod pod, String key) {
    return pod.getMetadata().getLabels() == null
        ? ""
        : pod.getMetadata().getLabels().getOrDefault(key, "");
  }
}
