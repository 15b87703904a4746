package dev.peapod.pods.api;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.ObjectManifest;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsResponse;
import dev.peapod.proto.peapod.v1.Manifest;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/// The rpc that deletes pods, and whatever else manifests name.
final class DeleteCall {
  private final Fleet fleet;
  private final ObjectCalls objects;
  private final BiFunction<List<Manifest>, String, List<dev.peapod.pods.manifest.Manifest>> reader;

  /// @param reader reads manifests, given the namespace for those that name none
  DeleteCall(
      Fleet fleet,
      ObjectCalls objects,
      BiFunction<List<Manifest>, String, List<dev.peapod.pods.manifest.Manifest>> reader) {
    this.fleet = fleet;
    this.objects = objects;
    this.reader = reader;
  }

  DeletePodsResponse serve(DeletePodsRequest request) throws InterruptedException {
    Set<PodKey> keys = new LinkedHashSet<>();
    Set<ObjectKey> documents = new LinkedHashSet<>();
    if (request.getManifestsCount() > 0) {
      for (var manifest : reader.apply(request.getManifestsList(), request.getNamespace())) {
        switch (manifest) {
          case PodManifest pod -> keys.add(PodKey.of(pod.pod()));
          case ObjectManifest object -> documents.add(ObjectKey.of(object.object()));
        }
      }
    }
    if (request.hasSelector()) {
      Predicate<Pod> wanted = PodReads.filter(request.getSelector());
      fleet.board().list().entries().stream()
          .filter(entry -> wanted.test(entry.pod()))
          .forEach(entry -> keys.add(PodKey.of(entry.pod())));
      String name = request.getSelector().getName();
      PodKey named = new PodKey(request.getSelector().getNamespace(), name);
      if (!name.isEmpty() && !keys.contains(named) && request.getManifestsCount() == 0) {
        throw Targets.noSuchPod(named);
      }
    }
    Optional<Long> grace =
        request.hasGracePeriodSeconds()
            ? Optional.of(Math.max(0, request.getGracePeriodSeconds()))
            : Optional.empty();
    DeletePodsResponse.Builder response = DeletePodsResponse.newBuilder();
    for (PodKey key : keys) {
      response
          .addPodsBuilder()
          .setNamespace(key.namespace())
          .setName(key.name())
          .setExisted(fleet.delete(key, grace));
    }
    if (request.getWait()) {
      for (PodKey key : keys) {
        fleet.awaitGone(key);
      }
    }
    objects
        .delete(documents, request.getWait(), grace, request.getCascade())
        .forEach(response::addObjects);
    return response.build();
  }
}
