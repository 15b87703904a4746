package dev.peapod.pods.supervisor;

import dev.peapod.pods.manifest.EphemeralContainers;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a pod is to be: what was applied and what has been asked for since, on disk before it counts. Changed by the
/// pod's worker alone, read by all. No pod that was handed out is changed any more.
final class PodDocument {
  private final PodStore store;
  private volatile Pod pod;

  PodDocument(PodStore store, Pod pod) {
    this.store = store;
    this.pod = pod;
  }

  /// The pod, without a status.
  Pod get() {
    return pod;
  }

  Pod with(PodStatus status) {
    return copy(pod.getMetadata(), pod.getSpec(), status);
  }

  /// Takes over what may change of a pod that is there.
  void configure(Pod asked) {
    Pod next = EphemeralContainers.with(asked, pod.getSpec().getEphemeralContainers());
    ObjectMeta metadata =
        new ObjectMetaBuilder(pod.getMetadata())
            .withLabels(next.getMetadata().getLabels())
            .withAnnotations(next.getMetadata().getAnnotations())
            .build();
    keep(copy(metadata, next.getSpec(), null));
  }

  /// Says to whom the pod belongs.
  void own(List<OwnerReference> owners) {
    ObjectMeta metadata =
        new ObjectMetaBuilder(pod.getMetadata()).withOwnerReferences(owners).build();
    keep(copy(metadata, pod.getSpec(), null));
  }

  /// Adds an ephemeral container and answers it with its defaults.
  EphemeralContainer add(EphemeralContainer asked) {
    PodSpec spec = EphemeralContainers.add(pod, asked);
    keep(copy(pod.getMetadata(), spec, null));
    return spec.getEphemeralContainers().getLast();
  }

  /// The pod is to go.
  ///
  /// @param now when that was asked for
  /// @param seconds that its containers are given from then on
  void delete(Instant now, long seconds) {
    store.saveDeletion(pod, seconds);
    ObjectMeta metadata =
        new ObjectMetaBuilder(pod.getMetadata())
            .withDeletionTimestamp(StatusReport.text(now.plusSeconds(seconds)))
            .withDeletionGracePeriodSeconds(seconds)
            .build();
    pod = copy(metadata, pod.getSpec(), null);
  }

  private void keep(Pod changed) {
    store.savePod(changed);
    pod = changed;
  }

  private Pod copy(ObjectMeta metadata, PodSpec spec, @Nullable PodStatus status) {
    return new Pod(pod.getApiVersion(), pod.getKind(), metadata, spec, status);
  }
}
