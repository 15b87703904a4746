package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectTable;
import dev.peapod.pods.status.JsonPath;
import dev.peapod.pods.status.LabelSelector;
import dev.peapod.pods.status.PodText;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeleteObjectsResponse;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.StoredObject;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Instant;
import java.util.List;

/// The rpcs for documents that pods refer to.
final class ObjectCalls {
  private final Fleet fleet;

  ObjectCalls(Fleet fleet) {
    this.fleet = fleet;
  }

  ListObjectsResponse list(ListObjectsRequest request) {
    ObjectKind kind = kind(request.getSelector());
    ListObjectsResponse.Builder response =
        ListObjectsResponse.newBuilder()
            .setKind(kind.word())
            .addAllColumns(ObjectTable.columns(kind));
    List<HasMetadata> objects = selected(kind, request.getSelector());
    if (request.getView() == PodView.POD_VIEW_JSONPATH) {
      response.setText(JsonPath.evaluateList(request.getTemplate(), objects));
    }
    for (HasMetadata object : objects) {
      StoredObject.Builder stored =
          response
              .addObjectsBuilder()
              .setNamespace(object.getMetadata().getNamespace())
              .setName(object.getMetadata().getName())
              .setCreatedNs(
                  Instant.parse(object.getMetadata().getCreationTimestamp()).getEpochSecond()
                      * 1_000_000_000L)
              .addAllCells(ObjectTable.cells(object));
      switch (request.getView()) {
        case POD_VIEW_JSON -> stored.setText(PodText.json(object));
        case POD_VIEW_JSONPATH ->
            stored.setText(JsonPath.evaluate(request.getTemplate(), object));
        case POD_VIEW_MANIFEST, POD_VIEW_YAML -> stored.setText(PodText.yaml(object));
        case POD_VIEW_DESCRIPTION -> stored.setText(ObjectTable.description(object));
        case POD_VIEW_SUMMARY, UNRECOGNIZED -> {}
      }
    }
    return response.build();
  }

  DeleteObjectsResponse delete(DeleteObjectsRequest request) {
    ObjectKind kind = kind(request.getSelector());
    DeleteObjectsResponse.Builder response = DeleteObjectsResponse.newBuilder();
    for (HasMetadata object : selected(kind, request.getSelector())) {
      ObjectKey key = ObjectKey.of(object);
      response
          .addObjectsBuilder()
          .setKind(kind.word())
          .setNamespace(key.namespace())
          .setName(key.name())
          .setExisted(fleet.deleteObject(key));
    }
    return response.build();
  }

  private static ObjectKind kind(ObjectSelector selector) {
    return ObjectKind.ofWord(selector.getKind())
        .orElseThrow(
            () ->
                PeapodException.notFound(
                    "there is no resource type \"" + selector.getKind() + "\" here"));
  }

  private List<HasMetadata> selected(ObjectKind kind, ObjectSelector selector) {
    LabelSelector labels = LabelSelector.parse(selector.getLabels());
    List<HasMetadata> found =
        fleet.objects().list().stream()
            .filter(object -> object.getKind().equals(kind.kind()))
            .filter(
                object ->
                    selector.getNamespace().isEmpty()
                        || selector.getNamespace().equals(object.getMetadata().getNamespace()))
            .filter(
                object ->
                    selector.getName().isEmpty()
                        || selector.getName().equals(object.getMetadata().getName()))
            .filter(object -> labels.matches(object.getMetadata().getLabels()))
            .toList();
    if (found.isEmpty() && !selector.getName().isEmpty()) {
      throw PeapodException.notFound(
          kind.otherWords().getFirst()
              + " \""
              + selector.getName()
              + "\" not found in namespace \""
              + selector.getNamespace()
              + "\"");
    }
    return found;
  }
}
