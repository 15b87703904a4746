package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/// Which documents a pod refers to.
public final class References {
  private final String namespace;
  private final Set<ObjectKey> keys = new HashSet<>();

  private References(String namespace) {
    this.namespace = namespace;
  }

  public static Set<ObjectKey> of(Pod pod) {
    References references = new References(pod.getMetadata().getNamespace());
    pod.getSpec().getVolumes().forEach(references::volume);
    Stream.concat(
            pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream())
        .forEach(references::container);
    return references.keys;
  }

  private void volume(Volume volume) {
    if (volume.getConfigMap() != null) {
      add(ObjectKind.CONFIG_MAP, volume.getConfigMap().getName());
    }
    if (volume.getSecret() != null) {
      add(ObjectKind.SECRET, volume.getSecret().getSecretName());
    }
    if (volume.getPersistentVolumeClaim() != null) {
      add(ObjectKind.CLAIM, volume.getPersistentVolumeClaim().getClaimName());
    }
    if (volume.getProjected() != null) {
      for (VolumeProjection source : volume.getProjected().getSources()) {
        if (source.getConfigMap() != null) {
          add(ObjectKind.CONFIG_MAP, source.getConfigMap().getName());
        }
        if (source.getSecret() != null) {
          add(ObjectKind.SECRET, source.getSecret().getName());
        }
      }
    }
  }

  private void container(Container container) {
    for (EnvFromSource source : container.getEnvFrom()) {
      if (source.getConfigMapRef() != null) {
        add(ObjectKind.CONFIG_MAP, source.getConfigMapRef().getName());
      }
      if (source.getSecretRef() != null) {
        add(ObjectKind.SECRET, source.getSecretRef().getName());
      }
    }
    for (EnvVar variable : container.getEnv()) {
      EnvVarSource source = variable.getValueFrom();
      if (source != null && source.getConfigMapKeyRef() != null) {
        add(ObjectKind.CONFIG_MAP, source.getConfigMapKeyRef().getName());
      }
      if (source != null && source.getSecretKeyRef() != null) {
        add(ObjectKind.SECRET, source.getSecretKeyRef().getName());
      }
    }
  }

  private void add(ObjectKind kind, String name) {
    keys.add(new ObjectKey(kind, namespace, name));
  }
}
