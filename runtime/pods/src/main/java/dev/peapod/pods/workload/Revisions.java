package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A Deployment's templates, old and new: a ReplicaSet for each, with the number of its revision.
final class Revisions {
  static final String HASH = "pod-template-hash";
  static final String REVISION = "deployment.kubernetes.io/revision";

  static final Comparator<ReplicaSet> OLDEST =
      Comparator.comparingLong(Revisions::revision)
          .thenComparing(set -> set.getMetadata().getName());

  private Revisions() {}

  /// The ReplicaSet of the Deployment's present template.
  static Optional<ReplicaSet> fresh(Deployment deployment, List<ReplicaSet> all) {
    PodTemplateSpec wanted = deployment.getSpec().getTemplate();
    return all.stream()
        .filter(set -> template(set).equals(wanted))
        .max(Comparator.comparingLong(Revisions::revision));
  }

  /// A ReplicaSet for the present template; it has no pods yet.
  static ReplicaSet create(Deployment deployment, Collection<ReplicaSet> all) {
    PodTemplateSpec template = deployment.getSpec().getTemplate();
    String name = "";
    String hash = "";
    for (int i = 0; name.isEmpty() || isTaken(name, all); i++) {
      hash = Naming.hash(template, i);
      name = deployment.getMetadata().getName() + "-" + hash;
    }
    return new ReplicaSetBuilder()
        .withNewMetadata()
        .withName(name)
        .endMetadata()
        .withNewSpec()
        .withReplicas(0)
        .withMinReadySeconds(deployment.getSpec().getMinReadySeconds())
        .withNewSelectorLike(deployment.getSpec().getSelector())
        .addToMatchLabels(HASH, hash)
        .endSelector()
        .withTemplate(
            new PodTemplateSpecBuilder(template)
                .editMetadata()
                .addToLabels(HASH, hash)
                .endMetadata()
                .build())
        .endSpec()
        .build();
  }

  private static boolean isTaken(String name, Collection<ReplicaSet> all) {
    return all.stream().anyMatch(set -> name.equals(set.getMetadata().getName()));
  }

  /// The template that a Deployment had when the ReplicaSet was made.
  static PodTemplateSpec template(ReplicaSet set) {
    PodTemplateSpec template = set.getSpec().getTemplate();
    Map<String, String> labels = new HashMap<>(template.getMetadata().getLabels());
    labels.remove(HASH);
    return new PodTemplateSpecBuilder(template)
        .withMetadata(new ObjectMetaBuilder(template.getMetadata()).withLabels(labels).build())
        .build();
  }

  static long revision(ReplicaSet set) {
    Map<String, String> annotations = set.getMetadata().getAnnotations();
    String revision = annotations == null ? null : annotations.get(REVISION);
    return revision == null ? 0 : Long.parseLong(revision);
  }

  /// What a ReplicaSet of a Deployment's present template says about it.
  static Map<String, String> annotations(Deployment deployment, long revision) {
    Map<String, String> annotations = new HashMap<>(Map.of(REVISION, Long.toString(revision)));
    Map<String, String> own = deployment.getMetadata().getAnnotations();
    String cause = own == null ? null : own.get(History.CAUSE);
    if (cause != null) {
      annotations.put(History.CAUSE, cause);
    }
    return annotations;
  }

  static long next(Collection<ReplicaSet> all) {
    return 1 + all.stream().mapToLong(Revisions::revision).max().orElse(0);
  }
}
