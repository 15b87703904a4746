package dev.peapod.pods.workload;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectStore;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What controllers see in one pass.
final class Scene {
  private final ObjectStore objects;
  private final Map<String, List<Pod>> pods = new HashMap<>();
  private final Map<String, List<Pod>> gone = new HashMap<>();
  private final Instant now;

  /// @param present all pods
  /// @param gone pods that have gone since the last pass, as they were last
  Scene(ObjectStore objects, List<Pod> present, List<Pod> gone, Instant now) {
    this.objects = objects;
    this.now = now;
    sort(present, pods);
    sort(gone, this.gone);
  }

  private static void sort(List<Pod> all, Map<String, List<Pod>> byOwner) {
    for (Pod pod : all) {
      Owners.controller(pod)
          .map(OwnerReference::getUid)
          .ifPresent(uid -> byOwner.computeIfAbsent(uid, u -> new ArrayList<>()).add(pod));
    }
  }

  Instant now() {
    return now;
  }

  /// Whether a document is there.
  boolean has(ObjectKey key) {
    return objects.get(key).isPresent();
  }

  /// A workload's own pods.
  List<Pod> pods(HasMetadata owner) {
    return pods.getOrDefault(owner.getMetadata().getUid(), List.of());
  }

  /// A workload's own pods that have gone since the last pass.
  List<Pod> gone(HasMetadata owner) {
    return gone.getOrDefault(owner.getMetadata().getUid(), List.of());
  }

  /// A workload's own documents of a type, the oldest first.
  <T extends HasMetadata> List<T> owned(HasMetadata owner, Class<T> type) {
    return objects.list().stream()
        .filter(type::isInstance)
        .map(type::cast)
        .filter(object -> Owners.isOwnedBy(object, owner.getMetadata().getUid()))
        .toList();
  }
}
