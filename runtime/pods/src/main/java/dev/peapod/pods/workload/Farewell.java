package dev.peapod.pods.workload;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;

/// Workloads that are deleted and there yet: until what was made for them is gone, or belongs to nobody. Which of the
/// two stands in the document as Kubernetes has it there, among the finalizers, so that a new daemon goes on.
public final class Farewell {
  /// What becomes of what was made for a workload.
  public enum Cascade {
    /// It goes too, after the workload.
    BACKGROUND(""),
    /// It goes too, and the workload after it.
    FOREGROUND("foregroundDeletion"),
    /// It stays, and belongs to nobody.
    ORPHAN("orphan");

    private final String finalizer;

    Cascade(String finalizer) {
      this.finalizer = finalizer;
    }
  }

  private static final long LOOK_MILLIS = 1_000;

  private final Fleet fleet;
  private final Hands hands;
  private final Claims claims;

  Farewell(Fleet fleet, Hands hands, Claims claims) {
    this.fleet = fleet;
    this.hands = hands;
    this.claims = claims;
  }

  /// Begins to delete a workload that is to be there a while yet.
  ///
  /// @param cascade not BACKGROUND
  /// @return false if there is no such document
  public static boolean begin(Fleet fleet, ObjectKey key, Cascade cascade) {
    return fleet.objects().finish(key, cascade.finalizer);
  }

  /// Waits until a document is no longer there.
  public static void await(Fleet fleet, HasMetadata object) throws InterruptedException {
    String uid = object.getMetadata().getUid();
    long revision = -1;
    while (fleet
        .objects()
        .get(ObjectKey.of(object))
        .filter(now -> uid.equals(now.getMetadata().getUid()))
        .isPresent()) {
      revision = fleet.objects().await(revision, LOOK_MILLIS);
    }
  }

  static boolean isGoing(HasMetadata object) {
    return object.getMetadata().getDeletionTimestamp() != null;
  }

  /// The next step of a deletion that has begun.
  void goOn(HasMetadata workload) throws InterruptedException {
    if (workload.getMetadata().getFinalizers().contains(Cascade.ORPHAN.finalizer)) {
      if (claims.release(workload)) {
        hands.delete(ObjectKey.of(workload));
      }
      return;
    }
    String uid = workload.getMetadata().getUid();
    List<ObjectKey> objects =
        fleet.objects().list().stream()
            .filter(object -> Owners.isOwnedBy(object, uid))
            .map(ObjectKey::of)
            .toList();
    List<Pod> pods =
        fleet.board().list().entries().stream()
            .map(PodBoard.Entry::pod)
            .filter(pod -> Owners.isOwnedBy(pod, uid))
            .toList();
    objects.forEach(key -> begin(fleet, key, Cascade.FOREGROUND));
    pods.stream().filter(pod -> !hands.isGoing(pod)).forEach(pod -> hands.delete(workload, pod));
    if (objects.isEmpty() && pods.isEmpty()) {
      hands.delete(ObjectKey.of(workload));
    }
  }
}
