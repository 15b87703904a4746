package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import java.util.Optional;

/// Who controls what: a document or pod that a controller makes names the one it is made for.
public final class Owners {
  private Owners() {}

  /// What a document's dependants carry.
  static OwnerReference reference(HasMetadata owner) {
    return new OwnerReferenceBuilder()
        .withApiVersion(owner.getApiVersion())
        .withKind(owner.getKind())
        .withName(owner.getMetadata().getName())
        .withUid(owner.getMetadata().getUid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .build();
  }

  /// Who controls an object, if somebody does.
  static Optional<OwnerReference> controller(HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream()
        .filter(owner -> Boolean.TRUE.equals(owner.getController()))
        .findFirst();
  }

  static boolean isOwnedBy(HasMetadata object, String uid) {
    return controller(object).filter(owner -> uid.equals(owner.getUid())).isPresent();
  }
}
