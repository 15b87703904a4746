package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimSpec;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of the documents that pods refer to.
final class ObjectValidation {
  private static final Pattern KEY = Pattern.compile("[-._a-zA-Z0-9]+");
  private static final int MAX_SIZE = 1 << 20;

  private final Rules rules;

  ObjectValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(HasMetadata object) {
    new MetadataValidation(rules).validate(object.getMetadata());
    switch (object) {
      case ConfigMap map -> configMap(map);
      case Secret secret -> secret(secret);
      case PersistentVolumeClaim claim -> claim(claim.getSpec());
      default -> throw new IllegalArgumentException(object.getKind());
    }
  }

  private void configMap(ConfigMap map) {
    long size = 0;
    if (map.getData() != null) {
      for (Map.Entry<String, String> entry : map.getData().entrySet()) {
        key("data", entry.getKey());
        size += entry.getValue().length();
        if (map.getBinaryData() != null && map.getBinaryData().containsKey(entry.getKey())) {
          rules.invalid(
              "data." + entry.getKey(), entry.getKey(), "duplicate of key present in binaryData");
        }
      }
    }
    if (map.getBinaryData() != null) {
      size += binary("binaryData", map.getBinaryData());
    }
    size("ConfigMap", size);
  }

  private void secret(Secret secret) {
    size("Secret", secret.getData() == null ? 0 : binary("data", secret.getData()));
    if ("kubernetes.io/service-account-token".equals(secret.getType())) {
      rules.forbidden(
          "type",
          "is not supported by this version of Peapod: there is no Kubernetes API server here");
    }
  }

  private long binary(String path, Map<String, String> data) {
    long size = 0;
    for (Map.Entry<String, String> entry : data.entrySet()) {
      key(path, entry.getKey());
      try {
        size += Base64.getDecoder().decode(entry.getValue()).length;
      } catch (IllegalArgumentException e) {
        // The value may be a secret: it is not repeated.
        rules.error(path + "." + entry.getKey(), "Invalid value: must be base64");
      }
    }
    return size;
  }

  private void key(String path, String key) {
    if (key.length() > 253) {
      rules.invalid(path, key, "must be no more than 253 characters");
    } else if (!KEY.matcher(key).matches()) {
      rules.invalid(
          path + "." + key,
          key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g."
              + " 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is"
              + " '[-._a-zA-Z0-9]+')");
    } else if (key.equals(".") || key.startsWith("..")) {
      rules.invalid(path + "." + key, key, "must not start with '..'");
    }
  }

  private void size(String kind, long size) {
    if (size > MAX_SIZE) {
      rules.error(
          kind.equals("Secret") ? "data" : "", "Too long: may not be more than 1048576 bytes");
    }
  }

  private void claim(@Nullable PersistentVolumeClaimSpec spec) {
    if (spec == null || spec.getAccessModes().isEmpty()) {
      rules.error("spec.accessModes", "Required value: at least 1 access mode is required");
    } else {
      for (int i = 0; i < spec.getAccessModes().size(); i++) {
        rules.oneOf(
            "spec.accessModes[" + i + "]",
            spec.getAccessModes().get(i),
            Set.of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"));
      }
    }
    if (spec == null
        || spec.getResources() == null
        || spec.getResources().getRequests() == null
        || !spec.getResources().getRequests().containsKey("storage")) {
      rules.error("spec.resources[storage]", "Required value");
    }
    if (spec != null && "Block".equals(spec.getVolumeMode())) {
      rules.forbidden(
          "spec.volumeMode",
          "Block is not supported by this version of Peapod: a claim is a directory");
    } else if (spec != null) {
      rules.oneOf("spec.volumeMode", spec.getVolumeMode(), Set.of("Filesystem", "Block"));
    }
  }
}
