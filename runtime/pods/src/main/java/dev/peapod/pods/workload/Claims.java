package dev.peapod.pods.workload;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.object.Selectors;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import java.util.ArrayList;
import java.util.List;

/// Has pods and documents that nobody controls belong to the workload whose selector asks for them, and those of a
/// workload that goes alone to nobody.
final class Claims {
  private final Fleet fleet;
  private final Hands hands;

  Claims(Fleet fleet, Hands hands) {
    this.fleet = fleet;
    this.hands = hands;
  }

  /// Gives a workload what its selector asks for and nobody has.
  void adopt(HasMetadata workload) throws InterruptedException {
    switch (workload) {
      case Deployment deployment -> {
        LabelSelector selector = deployment.getSpec().getSelector();
        for (HasMetadata object : fleet.objects().list()) {
          if (object instanceof ReplicaSet && isFree(object, workload, selector)) {
            own(object, with(object, workload));
          }
        }
      }
      case ReplicaSet set -> adoptPods(set, set.getSpec().getSelector());
      case DaemonSet set -> adoptPods(set, set.getSpec().getSelector());
      default -> {
        // A job has the pods that it has made, a CronJob its jobs.
      }
    }
  }

  private void adoptPods(HasMetadata workload, LabelSelector selector) throws InterruptedException {
    for (PodBoard.Entry entry : fleet.board().list().entries()) {
      Pod pod = entry.pod();
      if (isFree(pod, workload, selector) && !hands.isGoing(pod) && !PodFacts.isFinished(pod)) {
        own(pod, with(pod, workload));
      }
    }
  }

  private static boolean isFree(HasMetadata object, HasMetadata workload, LabelSelector selector) {
    ObjectMeta metadata = object.getMetadata();
    return Owners.controller(object).isEmpty()
        && metadata.getNamespace().equals(workload.getMetadata().getNamespace())
        && Selectors.matches(selector, metadata.getLabels());
  }

  private static List<OwnerReference> with(HasMetadata object, HasMetadata owner) {
    List<OwnerReference> owners = new ArrayList<>(object.getMetadata().getOwnerReferences());
    owners.add(Owners.reference(owner));
    return owners;
  }

  /// Has what belongs to a workload belong to it no longer. A pod that is going goes all the same.
  ///
  /// @return false if a document was changed by somebody else meanwhile
  boolean release(HasMetadata workload) throws InterruptedException {
    String uid = workload.getMetadata().getUid();
    boolean done = true;
    for (HasMetadata object : fleet.objects().list()) {
      if (Owners.isOwnedBy(object, uid)) {
        done &= own(object, without(object, uid));
      }
    }
    for (PodBoard.Entry entry : fleet.board().list().entries()) {
      if (Owners.isOwnedBy(entry.pod(), uid) && !hands.isGoing(entry.pod())) {
        done &= own(entry.pod(), without(entry.pod(), uid));
      }
    }
    return done;
  }

  private static List<OwnerReference> without(HasMetadata object, String uid) {
    return object.getMetadata().getOwnerReferences().stream()
        .filter(owner -> !uid.equals(owner.getUid()))
        .toList();
  }

  private boolean own(HasMetadata object, List<OwnerReference> owners) throws InterruptedException {
    return switch (object) {
      case Pod pod -> own(pod, owners);
      case ReplicaSet set ->
          hands.update(
              set,
              new ReplicaSetBuilder(set)
                  .editMetadata()
                  .withOwnerReferences(owners)
                  .endMetadata()
                  .build());
      case Job job ->
          hands.update(
              job,
              new JobBuilder(job)
                  .editMetadata()
                  .withOwnerReferences(owners)
                  .endMetadata()
                  .build());
      default -> throw new IllegalArgumentException(object.getKind());
    };
  }

  private boolean own(Pod pod, List<OwnerReference> owners) throws InterruptedException {
    try {
      fleet.own(PodKey.of(pod), owners);
    } catch (PeapodException e) {
      if (e.kind() != PeapodException.Kind.NOT_FOUND) {
        throw e;
      }
    }
    return true;
  }
}
