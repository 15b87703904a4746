package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;

/// A pod as a manifest asks for it: checked, with Kubernetes' defaults filled in, without uid and
/// status.
///
/// @param warnings what is accepted and yet likely a mistake
public record PodManifest(String source, Pod pod, List<String> warnings) implements Manifest {
  @Override
  public String kind() {
    return "Pod";
  }

  @Override
  public String namespace() {
    return pod.getMetadata().getNamespace();
  }

  @Override
  public String name() {
    return pod.getMetadata().getName();
  }
}
