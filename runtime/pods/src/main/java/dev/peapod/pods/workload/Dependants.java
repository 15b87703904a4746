package dev.peapod.pods.workload;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What was made for a workload, and what was made for that. It goes by itself once the workload is
/// gone; here somebody waits for it, or is in a hurry.
public final class Dependants {
  private final Fleet fleet;
  private final Set<String> uids = new HashSet<>();
  private final Set<ObjectKey> objects = new LinkedHashSet<>();

  private Dependants(Fleet fleet) {
    this.fleet = fleet;
  }

  /// What depends on a workload that is there.
  public static Dependants of(Fleet fleet, HasMetadata workload) {
    Dependants dependants = new Dependants(fleet);
    Deque<HasMetadata> owners = new ArrayDeque<>(List.of(workload));
    while (!owners.isEmpty()) {
      String uid = owners.removeFirst().getMetadata().getUid();
      dependants.uids.add(uid);
      for (HasMetadata object : fleet.objects().list()) {
        if (Owners.isOwnedBy(object, uid) && dependants.objects.add(ObjectKey.of(object))) {
          owners.add(object);
        }
      }
    }
    return dependants;
  }

  /// Has the pods go.
  ///
  /// @param grace in seconds; empty: their own
  public void deletePods(Optional<Long> grace) {
    pods().forEach(pod -> fleet.delete(pod, grace));
  }

  /// Deletes what depended on workloads that are gone.
  ///
  /// @param wait return when their pods are gone too
  /// @param grace of the pods, in seconds; empty: their own
  public static void delete(List<Dependants> all, boolean wait, Optional<Long> grace)
      throws InterruptedException {
    for (Dependants dependants : all) {
      dependants.objects.forEach(dependants.fleet::deleteObject);
    }
    for (Dependants dependants : all) {
      dependants.deletePods(grace);
    }
    for (Dependants dependants : all) {
      dependants.await(wait, grace);
    }
  }

  /// A controller may just have made one more pod when its workload went.
  private void await(boolean wait, Optional<Long> grace) throws InterruptedException {
    for (List<PodKey> left = pods(); wait && !left.isEmpty(); left = pods()) {
      for (PodKey pod : left) {
        fleet.delete(pod, grace);
        fleet.awaitGone(pod);
      }
    }
  }

  private List<PodKey> pods() {
    return fleet.board().list().entries().stream()
        .map(PodBoard.Entry::pod)
        .filter(this::isOurs)
        .map(PodKey::of)
        .toList();
  }

  private boolean isOurs(Pod pod) {
    return Owners.controller(pod).filter(owner -> uids.contains(owner.getUid())).isPresent();
  }
}
