package dev.peapod.pods.supervisor;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.probe.ProbeKind;
import dev.peapod.proto.runtime.v1.PodSandbox;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// What a pod's worker is told.
sealed interface Message {
  /// What the runtime has of the pod.
  ///
  /// @param begunAt `System.nanoTime` when the listing was asked for
  record Observed(
      List<PodSandbox> sandboxes,
      List<dev.peapod.proto.runtime.v1.Container> containers,
      long begunAt)
      implements Message {}

  record SandboxMade(String id, int attempt, List<String> ips, Optional<Integer> firstUser)
      implements Message {}

  record SandboxFailed(int attempt, String message) implements Message {}

  /// @param spec what it was made by
  record Started(
      ContainerSlot slot,
      Container spec,
      int attempt,
      String containerId,
      String imageId,
      Instant at)
      implements Message {}

  /// A running container has the resources of this spec now, or not: then why.
  record Resized(ContainerSlot slot, String containerId, Container spec, String problem)
      implements Message {}

  /// The hook after the start has ended.
  record PostStarted(ContainerSlot slot, String containerId, boolean success, String message)
      implements Message {}

  /// A container that runs is to be ended and started again.
  record Restart(String container) implements Message {}

  /// A document was made, changed or deleted that pods may refer to.
  record ObjectChanged(ObjectKey key) implements Message {}

  /// The pod takes too much of something and is to end.
  record Evict(String message) implements Message {}

  /// What ran of a finished pod is stopped, or could not be.
  record Ended() implements Message {}

  /// Nothing runs: the image is not there or the container could not be made. No attempt is used
  /// up.
  record NotCreated(ContainerSlot slot, String reason, String message, boolean image)
      implements Message {}

  /// The container was made, but its process could not be started.
  record NotStarted(
      ContainerSlot slot, int attempt, String containerId, String reason, String message)
      implements Message {}

  record Stopped(ContainerSlot slot, String containerId) implements Message {}

  record Probed(
      ContainerSlot slot, String containerId, ProbeKind kind, boolean success, String message)
      implements Message {}

  /// The pod is to go. Told again with a shorter time, it goes quicker.
  record Delete(Optional<Long> graceSeconds) implements Message {}

  /// What may change of a running pod is to be as in this one.
  ///
  /// @param done completed when that is kept
  record Configure(Pod asked, CompletableFuture<Void> done) implements Message {}

  /// The pod belongs to these from now on.
  ///
  /// @param done completed when that is kept
  record Own(List<OwnerReference> owners, CompletableFuture<Void> done) implements Message {}

  /// One more ephemeral container.
  ///
  /// @param done completed when it is kept, or can not be added
  record Debug(EphemeralContainer container, CompletableFuture<Void> done) implements Message {}

  /// All is removed, or not: then why.
  record Removed(String problem) implements Message {}

  /// The finished pod's sandbox is stopped.
  record SandboxStopped() implements Message {}

  record Close() implements Message {}
}
