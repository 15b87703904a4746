package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.List;

/// A document that pods refer to.
public record ObjectManifest(String source, HasMetadata object, List<String> warnings)
    implements Manifest {
  @Override
  public String kind() {
    return object.getKind();
  }

  @Override
  public String namespace() {
    return object.getMetadata().getNamespace();
  }

  @Override
  public String name() {
    return object.getMetadata().getName();
  }
}
