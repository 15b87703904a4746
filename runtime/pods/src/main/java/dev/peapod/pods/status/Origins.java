package dev.peapod.pods.status;

import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.Volume;
import org.jspecify.annotations.Nullable;

/// Where variables and volumes come from, in a few words.
final class Origins {
  private Origins() {}

  static String of(EnvVarSource source) {
    if (source.getFieldRef() != null) {
      return "(" + source.getFieldRef().getFieldPath() + ")";
    }
    if (source.getResourceFieldRef() != null) {
      return "(" + source.getResourceFieldRef().getResource() + ")";
    }
    if (source.getConfigMapKeyRef() != null) {
      return "<set to the key '"
          + source.getConfigMapKeyRef().getKey()
          + "' of config map '"
          + source.getConfigMapKeyRef().getName()
          + "'>";
    }
    return "<set to the key '"
        + source.getSecretKeyRef().getKey()
        + "' in secret '"
        + source.getSecretKeyRef().getName()
        + "'>";
  }

  static String of(EnvFromSource source) {
    String prefix = source.getPrefix() == null ? "" : source.getPrefix();
    String with = prefix.isEmpty() ? "" : " with prefix " + prefix;
    return source.getConfigMapRef() != null
        ? "configMap " + source.getConfigMapRef().getName() + with
        : "secret " + source.getSecretRef().getName() + with;
  }

  static String of(Volume volume) {
    if (volume.getHostPath() != null) {
      String type = or(volume.getHostPath().getType());
      return "hostPath "
          + volume.getHostPath().getPath()
          + (type.isEmpty() ? "" : " (" + type + ")");
    }
    if (volume.getConfigMap() != null) {
      return "configMap " + volume.getConfigMap().getName();
    }
    if (volume.getSecret() != null) {
      return "secret " + volume.getSecret().getSecretName();
    }
    if (volume.getPersistentVolumeClaim() != null) {
      return "persistentVolumeClaim " + volume.getPersistentVolumeClaim().getClaimName();
    }
    if (volume.getDownwardAPI() != null) {
      return "downwardAPI";
    }
    if (volume.getProjected() != null) {
      return "projected, " + volume.getProjected().getSources().size() + " sources";
    }
    String medium = volume.getEmptyDir() == null ? "" : or(volume.getEmptyDir().getMedium());
    return medium.isEmpty() ? "emptyDir" : "emptyDir in memory";
  }

  private static String or(@Nullable String text) {
    return text == null ? "" : text;
  }
}
