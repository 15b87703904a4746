package dev.peapod.pods.status;

import dev.peapod.pods.manifest.EphemeralContainers;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;

/// A pod as somebody would write it down: without status and what a server fills in.
public final class Bare {
  private Bare() {}

  public static Pod of(Pod pod) {
    return new Pod(
        pod.getApiVersion(),
        pod.getKind(),
        new ObjectMetaBuilder()
            .withName(pod.getMetadata().getName())
            .withNamespace(pod.getMetadata().getNamespace())
            .withLabels(pod.getMetadata().getLabels())
            .withAnnotations(pod.getMetadata().getAnnotations())
            .build(),
        EphemeralContainers.without(pod).getSpec(),
        null);
  }
}
