package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectStore;
import dev.peapod.pods.object.RolloutText;
import dev.peapod.pods.workload.History;
import dev.peapod.proto.peapod.v1.RestartRolloutRequest;
import dev.peapod.proto.peapod.v1.RestartRolloutResponse;
import dev.peapod.proto.peapod.v1.RolloutHistoryRequest;
import dev.peapod.proto.peapod.v1.RolloutHistoryResponse;
import dev.peapod.proto.peapod.v1.ScaleRequest;
import dev.peapod.proto.peapod.v1.ScaleResponse;
import dev.peapod.proto.peapod.v1.UndoRolloutRequest;
import dev.peapod.proto.peapod.v1.UndoRolloutResponse;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Function;

/// The rpcs that change one thing of a workload, and the one that tells what it was before.
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
    HasMetadata before =
        change(
            new ObjectKey(kind, request.getNamespace(), request.getName()),
            object -> replicas(object, kind).with().apply(request.getReplicas()));
    return ScaleResponse.newBuilder()
        .setKind(kind.word())
        .setReplicasBefore(replicas(before, kind).value())
        .build();
  }

  private static Part<Integer> replicas(HasMetadata object, ObjectKind kind) {
    return Part.replicas(object).orElseThrow(() -> without(kind, "have no scale"));
  }

  RestartRolloutResponse restart(RestartRolloutRequest request) {
    ObjectKind kind = ObjectCalls.kind(request.getKind());
    change(
        new ObjectKey(kind, request.getNamespace(), request.getName()),
        object -> {
          Part<PodTemplateSpec> template =
              Part.template(object).orElseThrow(() -> without(kind, "are not rolled out"));
          return template.with().apply(restarted(template.value()));
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

  RolloutHistoryResponse history(RolloutHistoryRequest request) {
    ObjectKind kind = ObjectCalls.kind(request.getKind());
    HasMetadata object =
        present(new ObjectKey(kind, request.getNamespace(), request.getName()));
    RolloutHistoryResponse.Builder response =
        RolloutHistoryResponse.newBuilder().setKind(kind.word());
    for (History.Revision revision : History.of(deployment(object, kind), objects)) {
      response
          .addRevisionsBuilder()
          .setNumber(revision.number())
          .setCause(revision.cause())
          .setText(RolloutText.template(revision.template()));
    }
    return response.build();
  }

  UndoRolloutResponse undo(UndoRolloutRequest request) {
    ObjectKind kind = ObjectCalls.kind(request.getKind());
    ObjectKey key = new ObjectKey(kind, request.getNamespace(), request.getName());
    Optional<Long> number = Optional.of(request.getToRevision()).filter(asked -> asked != 0);
    History.Revision chosen = History.of(deployment(present(key), kind), objects, number);
    HasMetadata before = change(key, object -> History.undone(deployment(object, kind), chosen));
    return UndoRolloutResponse.newBuilder()
        .setKind(kind.word())
        .setRevision(chosen.number())
        .setUnchanged(deployment(before, kind).getSpec().getTemplate().equals(chosen.template()))
        .build();
  }

  private static Deployment deployment(HasMetadata object, ObjectKind kind) {
    if (object instanceof Deployment deployment) {
      return deployment;
    }
    throw without(kind, "have no history here, deployments alone have one");
  }

  private static PeapodException without(ObjectKind kind, String what) {
    return PeapodException.invalid(kind.otherWords().getFirst() + " " + what);
  }

  private HasMetadata present(ObjectKey key) {
    return objects
        .get(key)
        .orElseThrow(() -> ObjectCalls.noSuchObject(key.kind(), key.namespace(), key.name()));
  }

  /// Puts a changed copy of a document in its place.
  ///
  /// @return the document as it was
  private HasMetadata change(ObjectKey key, Function<HasMetadata, HasMetadata> change) {
    while (true) {
      HasMetadata present = present(key);
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
