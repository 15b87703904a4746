package dev.peapod.pods.object;

import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.util.Objects;

/// Which changes of documents Kubernetes allows.
final class Changes {
  private Changes() {}

  static boolean sameContent(HasMetadata a, HasMetadata b) {
    return switch (a) {
      case ConfigMap present ->
          b instanceof ConfigMap asked
              && sameData(present, asked)
              && Objects.equals(present.getImmutable(), asked.getImmutable());
      case Secret present ->
          b instanceof Secret asked
              && sameData(present, asked)
              && Objects.equals(present.getImmutable(), asked.getImmutable());
      case PersistentVolumeClaim present ->
          b instanceof PersistentVolumeClaim asked && present.getSpec().equals(asked.getSpec());
      case Service present ->
          b instanceof Service asked && present.getSpec().equals(asked.getSpec());
      default -> Specs.of(a).equals(Specs.of(b));
    };
  }

  private static boolean sameData(ConfigMap a, ConfigMap b) {
    return Objects.equals(a.getData(), b.getData())
        && Objects.equals(a.getBinaryData(), b.getBinaryData());
  }

  private static boolean sameData(Secret a, Secret b) {
    return Objects.equals(a.getData(), b.getData());
  }

  /// @throws PeapodException INVALID in Kubernetes' words
  static void requireAllowed(HasMetadata present, HasMetadata asked) {
    switch (present) {
      case ConfigMap map -> {
        if (Boolean.TRUE.equals(map.getImmutable())) {
          require(sameData(map, (ConfigMap) asked), asked, "data", IMMUTABLE);
          require(
              Boolean.TRUE.equals(((ConfigMap) asked).getImmutable()),
              asked,
              "immutable",
              IMMUTABLE);
        }
      }
      case Secret secret -> {
        require(
            secret.getType().equals(((Secret) asked).getType()),
            asked,
            "type",
            "field is immutable");
        if (Boolean.TRUE.equals(secret.getImmutable())) {
          require(sameData(secret, (Secret) asked), asked, "data", IMMUTABLE);
          require(
              Boolean.TRUE.equals(((Secret) asked).getImmutable()), asked, "immutable", IMMUTABLE);
        }
      }
      case PersistentVolumeClaim claim ->
          require(
              claim.getSpec().equals(((PersistentVolumeClaim) asked).getSpec()),
              asked,
              "spec",
              "spec is immutable after creation except resources.requests and"
                  + " volumeAttributesClassName for bound claims");
      case Service service -> {
        // All of it may change: nothing hangs on an address that it would have.
      }
      default ->
          Specs.forbidden(present, asked)
              .ifPresent(
                  why -> {
                    throw PeapodException.invalid(
                        isInvalid(asked) + why + " (apply with --replace to make it anew)");
                  });
    }
  }

  private static String isInvalid(HasMetadata object) {
    return "The " + object.getKind() + " \"" + object.getMetadata().getName() + "\" is invalid: ";
  }

  private static final String IMMUTABLE = "field is immutable when `immutable` is set";

  private static void require(boolean allowed, HasMetadata object, String path, String why) {
    if (!allowed) {
      throw PeapodException.invalid(isInvalid(object) + path + ": Forbidden: " + why);
    }
  }
}
