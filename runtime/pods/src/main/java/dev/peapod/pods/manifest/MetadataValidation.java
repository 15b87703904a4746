package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.Map;

/// What Kubernetes' API server checks of an object's metadata.
final class MetadataValidation {
  private static final int MAX_ANNOTATIONS = 256 << 10;

  private final Rules rules;

  MetadataValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(ObjectMeta metadata) {
    if (rules.required("metadata.name", metadata.getName())) {
      rules.subdomain("metadata.name", metadata.getName());
    }
    rules.label("metadata.namespace", metadata.getNamespace());
    words(metadata);
  }

  /// Labels and annotations, which a template has too.
  void words(ObjectMeta metadata) {
    if (metadata.getLabels() != null) {
      metadata
          .getLabels()
          .forEach(
              (key, value) -> {
                rules.qualifiedName("metadata.labels", key);
                rules.labelValue("metadata.labels." + key, value);
              });
    }
    if (metadata.getAnnotations() != null) {
      long size = 0;
      for (Map.Entry<String, String> entry : metadata.getAnnotations().entrySet()) {
        rules.qualifiedName("metadata.annotations", entry.getKey());
        size += entry.getKey().length() + entry.getValue().length();
      }
      if (size > MAX_ANNOTATIONS) {
        rules.error(
            "metadata.annotations", "Too long: may not be more than " + MAX_ANNOTATIONS + " bytes");
      }
    }
  }
}
