package dev.peapod.pods.workload;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.object.ObjectStore;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The templates that a Deployment has had, as its ReplicaSets keep them.
public final class History {
  static final String CAUSE = "kubernetes.io/change-cause";

  /// One template.
  ///
  /// @param cause why it was applied, as the Deployment's annotation said then; empty if it said nothing
  public record Revision(long number, String cause, PodTemplateSpec template) {}

  private History() {}

  /// All that are kept, the oldest first.
  public static List<Revision> of(Deployment deployment, ObjectStore objects) {
    String uid = deployment.getMetadata().getUid();
    return objects.list().stream()
        .filter(ReplicaSet.class::isInstance)
        .map(ReplicaSet.class::cast)
        .filter(set -> Owners.isOwnedBy(set, uid))
        .sorted(Revisions.OLDEST)
        .map(set -> new Revision(Revisions.revision(set), cause(set), Revisions.template(set)))
        .toList();
  }

  /// One of them.
  ///
  /// @param number empty: the one before the latest
  /// @throws PeapodException NOT_FOUND, in kubectl's words
  public static Revision of(Deployment deployment, ObjectStore objects, Optional<Long> number) {
    List<Revision> all = of(deployment, objects);
    if (number.isEmpty()) {
      if (all.size() < 2) {
        throw PeapodException.notFound(
            "no rollout history found for deployment \"" + deployment.getMetadata().getName() + "\"");
      }
      return all.get(all.size() - 2);
    }
    return all.stream()
        .filter(revision -> revision.number() == number.get())
        .findFirst()
        .orElseThrow(
            () ->
                PeapodException.notFound(
                    "unable to find specified revision " + number.get() + " in history"));
  }

  /// A copy of a Deployment that has an earlier template again, and its cause; itself if that is its template.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it is paused
  public static Deployment undone(Deployment deployment, Revision revision) {
    if (Boolean.TRUE.equals(deployment.getSpec().getPaused())) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "cannot rollback a paused deployment; apply it with spec.paused: false first");
    }
    if (revision.template().equals(deployment.getSpec().getTemplate())) {
      return deployment;
    }
    DeploymentBuilder undone =
        new DeploymentBuilder(deployment)
            .editSpec()
            .withTemplate(revision.template())
            .endSpec()
            .editMetadata()
            .removeFromAnnotations(CAUSE)
            .endMetadata();
    if (!revision.cause().isEmpty()) {
      undone.editMetadata().addToAnnotations(CAUSE, revision.cause()).endMetadata();
    }
    return undone.build();
  }

  private static String cause(ReplicaSet set) {
    Map<String, String> annotations = set.getMetadata().getAnnotations();
    return annotations == null ? "" : annotations.getOrDefault(CAUSE, "");
  }
}
