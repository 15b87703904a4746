package dev.peapod.pods.api;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectTable;
import dev.peapod.pods.object.RolloutText;
import dev.peapod.pods.service.EndpointText;
import dev.peapod.pods.service.Endpoints;
import dev.peapod.pods.status.EventTable;
import dev.peapod.pods.status.JsonPath;
import dev.peapod.pods.status.PodText;
import dev.peapod.pods.supervisor.EventLog;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.PodCondition;
import dev.peapod.proto.peapod.v1.RolloutProgress;
import dev.peapod.proto.peapod.v1.StoredObject;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Documents as the client gets them.
final class StoredObjects {
  private StoredObjects() {}

  /// @param fleet whose pods and events a description tells of
  static StoredObject of(HasMetadata object, ListObjectsRequest request, Fleet fleet) {
    Instant now = Instant.now();
    StoredObject.Builder stored =
        StoredObject.newBuilder()
            .setNamespace(object.getMetadata().getNamespace())
            .setName(object.getMetadata().getName())
            .setUid(object.getMetadata().getUid())
            .setCreatedNs(
                Instant.parse(object.getMetadata().getCreationTimestamp()).getEpochSecond()
                    * 1_000_000_000L)
            .addAllCells(ObjectTable.cells(object, now))
            .addAllWideCells(ObjectTable.wideCells(object))
            .addAllConditions(conditions(object));
    RolloutText.of(object)
        .ifPresent(
            progress ->
                stored.setRollout(
                    RolloutProgress.newBuilder()
                        .setMessage(progress.message())
                        .setDone(progress.done())
                        .setFailed(progress.failed())));
    switch (request.getView()) {
      case POD_VIEW_JSON -> stored.setText(PodText.json(object));
      case POD_VIEW_JSONPATH -> stored.setText(JsonPath.evaluate(request.getTemplate(), object));
      case POD_VIEW_MANIFEST, POD_VIEW_YAML -> stored.setText(PodText.yaml(object));
      case POD_VIEW_DESCRIPTION -> stored.setText(description(object, fleet, now));
      case POD_VIEW_SUMMARY, UNRECOGNIZED -> {}
    }
    return stored.build();
  }

  private static String description(HasMetadata object, Fleet fleet, Instant now) {
    StringBuilder text = new StringBuilder(ObjectTable.description(object, now));
    ObjectKey key = ObjectKey.of(object);
    if (key.kind().isWorkload()) {
      EventLog.Subject subject = EventLog.Subject.of(key);
      EventTable.write(text, fleet.events().after(0, event -> event.subject().equals(subject)), now);
    }
    if (object instanceof Service service) {
      List<Pod> pods = fleet.board().list().entries().stream().map(PodBoard.Entry::pod).toList();
      EndpointText.write(text, service, Endpoints.of(service, pods));
    }
    return text.toString();
  }

  private static List<PodCondition> conditions(HasMetadata object) {
    return switch (object) {
      case Deployment deployment when deployment.getStatus() != null ->
          deployment.getStatus().getConditions().stream()
              .map(c -> condition(c.getType(), c.getStatus(), c.getReason(), c.getMessage()))
              .toList();
      case Job job when job.getStatus() != null ->
          job.getStatus().getConditions().stream()
              .map(c -> condition(c.getType(), c.getStatus(), c.getReason(), c.getMessage()))
              .toList();
      default -> List.of();
    };
  }

  private static PodCondition condition(
      String type, String status, @Nullable String reason, @Nullable String message) {
    return PodCondition.newBuilder()
        .setType(type)
        .setStatus(status)
        .setReason(reason == null ? "" : reason)
        .setMessage(message == null ? "" : message)
        .build();
  }
}
