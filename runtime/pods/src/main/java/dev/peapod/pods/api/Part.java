package dev.peapod.pods.api;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import java.util.Optional;
import java.util.function.Function;

/// A part that workloads of several kinds have.
///
/// @param value what it is now
/// @param with a copy of the workload that has another one
record Part<T>(T value, Function<T, HasMetadata> with) {
  /// How many pods there are to be, where that can be changed.
  static Optional<Part<Integer>> replicas(HasMetadata workload) {
    return switch (workload) {
      case Deployment all ->
          Optional.of(
              new Part<>(
                  all.getSpec().getReplicas(),
                  n -> new DeploymentBuilder(all).editSpec().withReplicas(n).endSpec().build()));
      case ReplicaSet all ->
          Optional.of(
              new Part<>(
                  all.getSpec().getReplicas(),
                  n -> new ReplicaSetBuilder(all).editSpec().withReplicas(n).endSpec().build()));
      default -> Optional.empty();
    };
  }

  /// What pods are made of, where another one is rolled out.
  static Optional<Part<PodTemplateSpec>> template(HasMetadata workload) {
    return switch (workload) {
      case Deployment all ->
          Optional.of(
              new Part<>(
                  all.getSpec().getTemplate(),
                  t -> new DeploymentBuilder(all).editSpec().withTemplate(t).endSpec().build()));
      case DaemonSet all ->
          Optional.of(
              new Part<>(
                  all.getSpec().getTemplate(),
                  t -> new DaemonSetBuilder(all).editSpec().withTemplate(t).endSpec().build()));
      default -> Optional.empty();
    };
  }
}
