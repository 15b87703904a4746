package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds the pods and containers that requests name.
final class Targets {
  private Targets() {}

  static PodBoard.Entry pod(PodBoard board, String namespace, String name) {
    PodKey key = new PodKey(namespace, name);
    return board.get(key).orElseThrow(() -> noSuchPod(key));
  }

  static PeapodException noSuchPod(PodKey key) {
    return PeapodException.notFound(
        "pods \"" + key.name() + "\" not found in namespace \"" + key.namespace() + "\"");
  }

  /// A container of the manifest.
  ///
  /// @param name empty: the pod's first
  static Container container(Pod pod, String name) {
    if (name.isEmpty()) {
      return pod.getSpec().getContainers().getFirst();
    }
    List<Container> all = EphemeralContainers.all(pod).toList();
    return all.stream()
        .filter(container -> container.getName().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                PeapodException.notFound(
                    "container "
                        + name
                        + " is not valid for pod "
                        + pod.getMetadata().getName()
                        + " (it has: "
                        + String.join(", ", all.stream().map(Container::getName).toList())
                        + ")"));
  }

  /// The statuses of all containers, those that begin the pod first.
  static Stream<ContainerStatus> statuses(Pod pod) {
    return pod.getStatus() == null
        ? Stream.empty()
        : Stream.of(
                pod.getStatus().getInitContainerStatuses(),
                pod.getStatus().getContainerStatuses(),
                pod.getStatus().getEphemeralContainerStatuses())
            .flatMap(List::stream);
  }

  static Optional<ContainerStatus> status(Pod pod, String container) {
    return statuses(pod).filter(status -> container.equals(status.getName())).findFirst();
  }

  /// How the runtime names a container; empty if it does not run.
  static Optional<String> running(ContainerStatus status) {
    return status.getState().getRunning() == null || status.getContainerID() == null
        ? Optional.empty()
        : Optional.of(
            status.getContainerID().substring(status.getContainerID().indexOf("//") + 2));
  }

  /// How the runtime names a container that runs.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it does not
  static String requireRunning(Pod pod, String container) {
    return status(pod, container)
        .flatMap(Targets::running)
        .orElseThrow(
            () ->
                new PeapodException(
                    Kind.FAILED_PRECONDITION,
                    "container "
                        + container
                        + " of pod "
                        + pod.getMetadata().getName()
                        + " is not running"));
  }
}
