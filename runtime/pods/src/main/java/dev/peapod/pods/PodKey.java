package dev.peapod.pods;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.Comparator;

/// What names a pod.
public record PodKey(String namespace, String name) implements Comparable<PodKey> {
  private static final Comparator<PodKey> ORDER =
      Comparator.comparing(PodKey::namespace).thenComparing(PodKey::name);

  public static PodKey of(Pod pod) {
    return new PodKey(pod.getMetadata().getNamespace(), pod.getMetadata().getName());
  }

  @Override
  public int compareTo(PodKey other) {
    return ORDER.compare(this, other);
  }

  /// `namespace/name`.
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
