package dev.peapod.pods.workload;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.supervisor.Fleet;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.lang.System.Logger;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What controllers do: pods are made on the way that `apply` takes, and deleted like by hand. For
/// one thread.
final class Hands {
  private static final Logger LOG = System.getLogger(Hands.class.getName());

  private final Fleet fleet;

  /// Pods that are told to go and may not look like it yet, by uid.
  private final Set<String> deleted = new HashSet<>();

  Hands(Fleet fleet) {
    this.fleet = fleet;
  }

  /// Makes a pod of a template.
  ///
  /// @param metadata labels and annotations; the rest is made here
  /// @return why it can not be made; empty if it is
  Optional<String> create(HasMetadata owner, String name, ObjectMeta metadata, PodSpec spec)
      throws InterruptedException {
    ObjectMeta own =
        new ObjectMetaBuilder()
            .withName(name)
            .withNamespace(owner.getMetadata().getNamespace())
            .withLabels(metadata.getLabels())
            .withAnnotations(metadata.getAnnotations())
            .withOwnerReferences(Owners.reference(owner))
            .build();
    Pod pod = new Pod("v1", "Pod", own, spec, null);
    try {
      fleet.apply(
          List.of(new PodManifest(ObjectKey.of(owner).toString(), pod, List.of())), false, false);
      tell(owner, "SuccessfulCreate", "Created pod: " + name);
      return Optional.empty();
    } catch (PeapodException e) {
      // The next try has another name; it is the same thing again all the same.
      String why = String.valueOf(e.getMessage()).replace(name, Naming.base(name) + "*");
      warn(owner, "FailedCreate", "Error creating: " + why);
      LOG.log(
          Logger.Level.WARNING, "{0} can not make a pod: {1}", ObjectKey.of(owner), e.getMessage());
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /// Deletes a pod that a workload has no more use for.
  void delete(HasMetadata owner, Pod pod) {
    tell(owner, "SuccessfulDelete", "Deleted pod: " + pod.getMetadata().getName());
    delete(pod);
  }

  void delete(Pod pod) {
    deleted.add(pod.getMetadata().getUid());
    fleet.delete(PodKey.of(pod), Optional.empty());
  }

  /// Lets it be known what happened to a workload, in the words of Kubernetes' controllers.
  void tell(HasMetadata workload, String reason, String message) {
    fleet.events().normal(ObjectKey.of(workload), reason, message);
  }

  /// The same of what somebody should look at.
  void warn(HasMetadata workload, String reason, String message) {
    fleet.events().warning(ObjectKey.of(workload), reason, message);
  }

  /// Whether a pod is being deleted, whoever wants it.
  boolean isGoing(Pod pod) {
    return pod.getMetadata().getDeletionTimestamp() != null || isDeletedByUs(pod);
  }

  /// Whether a controller wants a pod to go.
  boolean isDeletedByUs(Pod pod) {
    return deleted.contains(pod.getMetadata().getUid());
  }

  /// Forgets deleted pods but those that are there yet or have just gone.
  void forgetAllBut(List<Pod> pods) {
    if (!deleted.isEmpty()) {
      deleted.retainAll(
          pods.stream().map(pod -> pod.getMetadata().getUid()).collect(Collectors.toSet()));
    }
  }

  /// Makes or changes a document of another one's.
  void put(
      HasMetadata owner,
      HasMetadata object,
      Map<String, String> labels,
      Map<String, String> annotations) {
    object.setMetadata(
        new ObjectMetaBuilder()
            .withName(object.getMetadata().getName())
            .withNamespace(owner.getMetadata().getNamespace())
            .withLabels(labels)
            .withAnnotations(annotations)
            .withOwnerReferences(Owners.reference(owner))
            .build());
    fleet.objects().put(object, false);
  }

  /// Puts a new version of a document in the place of the one that was read, unless somebody was
  /// quicker: then the next pass sees that.
  ///
  /// @return false if somebody was
  boolean update(HasMetadata present, HasMetadata next) {
    return fleet.objects().update(present, next);
  }

  void delete(ObjectKey key) {
    fleet.deleteObject(key);
  }
}
