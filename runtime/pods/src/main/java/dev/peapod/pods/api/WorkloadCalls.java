package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectStore;
import dev.peapod.proto.peapod.v1.RestartRolloutRequest;
import dev.peapod.proto.peapod.v1.RestartRolloutResponse;
import dev.peapod.proto.peapod.v1.ScaleRequest;
import dev.peapod.proto.peapod.v1.ScaleResponse;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.UnaryOperator;

/// The rpcs that change one thing of a workload.
final class WorkloadCalls {
  private static final String RESTARTED = "kubectl.kubernetes.io/restartedAt";

  private final ObjectStore objects;

  WorkloadCalls(ObjectStore objects) {
    this.objects = objects;
  }

  ScaleResponse scale(ScaleRequest request) {
    if (request.getReplicas() < 0) {
      throw PeapodException.invalid("replicas must be greater than or equal to 0");
    }
    ObjectKind kind = ObjectCalls.kind(request.getKind());
    int replicas = request.getReplicas();
    HasMetadata before =
        change(
            new ObjectKey(kind, request.getNamespace(), request.getName()),
            object ->
                switch (object) {
                  case Deployment deployment ->
                      new DeploymentBuilder(deployment)
                          .editSpec()
                          .withReplicas(replicas)
                          .endSpec()
                          .build();
                  case ReplicaSet set ->
                      new ReplicaSetBuilder(set)
                          .editSpec()
                          .withReplicas(replicas)
                          .endSpec()
                          .build();
                  default ->
                      throw PeapodException.invalid(
                          kind.otherWords().getFirst() + " have no scale");
                });
    int was =
        before instanceof Deployment deployment
            ? deployment.getSpec().getReplicas()
            : ((ReplicaSet) before).getSpec().getReplicas();
    return ScaleResponse.newBuilder().setKind(kind.word()).setReplicasBefore(was).build();
  }

  RestartRolloutResponse restart(RestartRolloutRequest request) {
    ObjectKind kind = ObjectCalls.kind(request.getKind());
    change(
        new ObjectKey(kind, request.getNamespace(), request.getName()),
        object ->
            switch (object) {
              case Deployment deployment ->
                  new DeploymentBuilder(deployment)
                      .editSpec()
                      .withTemplate(restarted(deployment.getSpec().getTemplate()))
                      .endSpec()
                      .build();
              case DaemonSet set ->
                  new DaemonSetBuilder(set)
                      .editSpec()
                      .withTemplate(restarted(set.getSpec().getTemplate()))
                      .endSpec()
                      .build();
              default ->
                  throw PeapodException.invalid(
                      kind.otherWords().getFirst() + " are not rolled out");
            });
    return RestartRolloutResponse.newBuilder().setKind(kind.word()).build();
  }

  private static PodTemplateSpec restarted(PodTemplateSpec template) {
    return new PodTemplateSpecBuilder(template)
        .editMetadata()
        .addToAnnotations(RESTARTED, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
        .endMetadata()
        .build();
  }

  /// Puts a changed copy of a document in its place.
  ///
  /// @return the document as it was
  private HasMetadata change(ObjectKey key, UnaryOperator<HasMetadata> change) {
    while (true) {
      HasMetadata present =
          objects
              .get(key)
              .orElseThrow(() -> ObjectCalls.noSuchObject(key.kind(), key.namespace(), key.name()));
      HasMetadata next = change.apply(present);
      if (next.equals(present)) {
        return present;
      }
      ObjectMeta metadata =
          new ObjectMetaBuilder(next.getMetadata())
              .withGeneration(present.getMetadata().getGeneration() + 1)
              .build();
      next.setMetadata(metadata);
      // Its controller may have been quicker with its status.
      if (objects.update(present, next)) {
        return present;
      }
      if (Thread.interrupted()) {
        throw new PeapodException(Kind.UNAVAILABLE, "the caller has left");
      }
    }
  }
}
