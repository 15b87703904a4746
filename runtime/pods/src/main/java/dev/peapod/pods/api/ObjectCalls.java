package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectTable;
import dev.peapod.pods.status.JsonPath;
import dev.peapod.pods.status.LabelSelector;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.workload.Dependants;
import dev.peapod.pods.workload.Farewell;
import dev.peapod.proto.peapod.v1.Cascade;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeleteObjectsResponse;
import dev.peapod.proto.peapod.v1.DeletedObject;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodView;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The rpcs for documents beside pods.
final class ObjectCalls {
  /// How long a watch stays silent before it says so.
  private static final long BOOKMARK_MILLIS = 30_000;

  private final Fleet fleet;

  ObjectCalls(Fleet fleet) {
    this.fleet = fleet;
  }

  ListObjectsResponse list(ListObjectsRequest request) {
    ObjectKind kind = kind(request.getSelector().getKind());
    ListObjectsResponse.Builder response =
        ListObjectsResponse.newBuilder()
            .setKind(kind.word())
            .addAllColumns(ObjectTable.columns(kind))
            .addAllWideColumns(ObjectTable.wideColumns(kind));
    List<HasMetadata> objects = selected(kind, request.getSelector());
    if (request.getView() == PodView.POD_VIEW_JSONPATH) {
      response.setText(JsonPath.evaluateList(request.getTemplate(), objects));
    }
    for (HasMetadata object : objects) {
      response.addObjects(StoredObjects.of(object, request, fleet));
    }
    return response.build();
  }

  /// Sends what is there and then what changes, until the caller leaves.
  void watch(ListObjectsRequest request, Calls.Sender<ObjectChange> sender)
      throws InterruptedException {
    ObjectKind kind = kind(request.getSelector().getKind());
    ObjectChange.Builder frame =
        ObjectChange.newBuilder()
            .setKind(kind.word())
            .addAllColumns(ObjectTable.columns(kind))
            .addAllWideColumns(ObjectTable.wideColumns(kind));
    Map<String, HasMetadata> known = new LinkedHashMap<>();
    long revision = fleet.objects().await(-1, 0);
    boolean first = true;
    while (true) {
      Map<String, HasMetadata> now = new LinkedHashMap<>();
      matching(kind, request.getSelector()).forEach(o -> now.put(o.getMetadata().getUid(), o));
      for (Map.Entry<String, HasMetadata> before : known.entrySet()) {
        if (!now.containsKey(before.getKey())) {
          sender.send(change(frame, PodChange.Type.DELETED, before.getValue(), request));
        }
      }
      for (Map.Entry<String, HasMetadata> object : now.entrySet()) {
        HasMetadata before = known.get(object.getKey());
        if (before != object.getValue()) {
          PodChange.Type type = before == null ? PodChange.Type.ADDED : PodChange.Type.MODIFIED;
          sender.send(change(frame, type, object.getValue(), request));
        }
      }
      known = now;
      long seen = revision;
      revision = first ? revision : fleet.objects().await(revision, BOOKMARK_MILLIS);
      if (first || revision == seen) {
        sender.send(frame.clone().setType(PodChange.Type.BOOKMARK).build());
      }
      first = false;
    }
  }

  private ObjectChange change(
      ObjectChange.Builder frame,
      PodChange.Type type,
      HasMetadata object,
      ListObjectsRequest request) {
    return frame
        .clone()
        .setType(type)
        .setObject(StoredObjects.of(object, request, fleet))
        .build();
  }

  DeleteObjectsResponse delete(DeleteObjectsRequest request) throws InterruptedException {
    ObjectKind kind = kind(request.getSelector().getKind());
    Optional<Long> grace =
        request.hasGracePeriodSeconds()
            ? Optional.of(Math.max(0, request.getGracePeriodSeconds()))
            : Optional.empty();
    DeleteObjectsResponse.Builder response = DeleteObjectsResponse.newBuilder();
    List<ObjectKey> keys =
        selected(kind, request.getSelector()).stream().map(ObjectKey::of).toList();
    delete(keys, request.getWait(), grace, request.getCascade()).forEach(response::addObjects);
    return response.build();
  }

  /// Deletes documents, workloads first: what their pods use can go when they are gone.
  List<DeletedObject> delete(
      Collection<ObjectKey> keys, boolean wait, Optional<Long> grace, Cascade cascade)
      throws InterruptedException {
    List<DeletedObject> deleted = new ArrayList<>();
    List<Dependants> dependants = new ArrayList<>();
    Farewell.Cascade how = cascade(cascade);
    for (ObjectKey key :
        keys.stream().sorted(Comparator.comparing(k -> !k.kind().isWorkload())).toList()) {
      if (key.kind().isWorkload() && how != Farewell.Cascade.BACKGROUND) {
        deleted.add(deleted(key, finish(key, wait, grace, how)));
        continue;
      }
      if (key.kind().isWorkload()) {
        fleet.objects().get(key).ifPresent(object -> dependants.add(Dependants.of(fleet, object)));
      } else {
        Dependants.delete(dependants, wait, grace);
        dependants.clear();
      }
      deleted.add(deleted(key, fleet.deleteObject(key)));
    }
    Dependants.delete(dependants, wait, grace);
    return deleted;
  }

  /// Deletes a workload that is not the first to go.
  private boolean finish(ObjectKey key, boolean wait, Optional<Long> grace, Farewell.Cascade how)
      throws InterruptedException {
    Optional<HasMetadata> present = fleet.objects().get(key);
    if (present.isEmpty()) {
      return false;
    }
    Dependants dependants = Dependants.of(fleet, present.get());
    Farewell.begin(fleet, key, how);
    if (how == Farewell.Cascade.FOREGROUND && grace.isPresent()) {
      dependants.deletePods(grace);
    }
    if (wait) {
      Farewell.await(fleet, present.get());
    }
    return true;
  }

  private static Farewell.Cascade cascade(Cascade asked) {
    return switch (asked) {
      case CASCADE_BACKGROUND -> Farewell.Cascade.BACKGROUND;
      case CASCADE_FOREGROUND -> Farewell.Cascade.FOREGROUND;
      case CASCADE_ORPHAN -> Farewell.Cascade.ORPHAN;
      case UNRECOGNIZED ->
          throw PeapodException.invalid("this peapodd does not know that way to delete");
    };
  }

  private static DeletedObject deleted(ObjectKey key, boolean existed) {
    return DeletedObject.newBuilder()
        .setKind(key.kind().word())
        .setNamespace(key.namespace())
        .setName(key.name())
        .setExisted(existed)
        .build();
  }

  /// The kind that a word means.
  ///
  /// @throws PeapodException NOT_FOUND if there is none
  static ObjectKind kind(String word) {
    return ObjectKind.ofWord(word)
        .orElseThrow(
            () -> PeapodException.notFound("there is no resource type \"" + word + "\" here"));
  }

  private List<HasMetadata> selected(ObjectKind kind, ObjectSelector selector) {
    List<HasMetadata> found = matching(kind, selector);
    if (found.isEmpty() && !selector.getName().isEmpty()) {
      throw noSuchObject(kind, selector.getNamespace(), selector.getName());
    }
    return found;
  }

  static PeapodException noSuchObject(ObjectKind kind, String namespace, String name) {
    return PeapodException.notFound(
        kind.otherWords().getFirst()
            + " \""
            + name
            + "\" not found in namespace \""
            + namespace
            + "\"");
  }

  private List<HasMetadata> matching(ObjectKind kind, ObjectSelector selector) {
    LabelSelector labels = LabelSelector.parse(selector.getLabels());
    return fleet.objects().list().stream()
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
  }
}
