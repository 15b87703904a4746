package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.Comparator;

/// What names a document.
public record ObjectKey(ObjectKind kind, String namespace, String name)
    implements Comparable<ObjectKey> {
  private static final Comparator<ObjectKey> ORDER =
      Comparator.comparing(ObjectKey::kind)
          .thenComparing(ObjectKey::namespace)
          .thenComparing(ObjectKey::name);

  /// @throws IllegalArgumentException if the kind is not one that is kept
  public static ObjectKey of(HasMetadata object) {
    ObjectKind kind =
        ObjectKind.ofKind(object.getKind())
            .orElseThrow(() -> new IllegalArgumentException(object.getKind()));
    return new ObjectKey(kind, object.getMetadata().getNamespace(), object.getMetadata().getName());
  }

  @Override
  public int compareTo(ObjectKey other) {
    return ORDER.compare(this, other);
  }

  /// `configmap "name"`, as Kubernetes' messages have it.
  @Override
  public String toString() {
    return kind.word() + " \"" + name + "\"";
  }
}
