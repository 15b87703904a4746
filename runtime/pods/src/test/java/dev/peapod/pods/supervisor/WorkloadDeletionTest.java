package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.proto.peapod.v1.Cascade;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.ListObjectsRequest;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodEvent;
import dev.peapod.proto.peapod.v1.PodEventsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodView;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What becomes of pods whose workload is deleted, and what is told of both.
@Timeout(120)
class WorkloadDeletionTest extends WorkloadCase {
  private static final ObjectSelector WEB_SETS =
      ObjectSelector.newBuilder()
          .setKind("deploy")
          .setNamespace("default")
          .setName("web")
          .build();

  private void applyWeb(int replicas) throws InterruptedException {
    apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: %d
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: a, image: 'img:1'}]}
        """
            .formatted(replicas));
    await().until(() -> available() == replicas);
  }

  private int available() {
    var status = object(ObjectKind.DEPLOYMENT, "web", Deployment.class).getStatus();
    return status == null || status.getAvailableReplicas() == null
        ? 0
        : status.getAvailableReplicas();
  }

  private ReplicaSet set() {
    return fleet.objects().list().stream()
        .filter(ReplicaSet.class::isInstance)
        .map(ReplicaSet.class::cast)
        .findFirst()
        .orElseThrow();
  }

  private Set<String> uids() {
    return pods().stream().map(pod -> pod.getMetadata().getUid()).collect(Collectors.toSet());
  }

  private void delete(String kind, String name, Cascade cascade, boolean wait) {
    service.deleteObjects(
        DeleteObjectsRequest.newBuilder()
            .setSelector(WEB_SETS.toBuilder().setKind(kind).setName(name))
            .setCascade(cascade)
            .setWait(wait)
            .build());
  }

  @Test
  void orphansStayAndAreTakenInAgain() throws Exception {
    applyWeb(2);
    Set<String> before = uids();
    String set = set().getMetadata().getName();
    delete("deploy", "web", Cascade.CASCADE_ORPHAN, true);
    assertThat(fleet.objects().list()).hasSize(1);
    assertThat(set().getMetadata().getOwnerReferences()).isEmpty();
    delete("rs", set, Cascade.CASCADE_ORPHAN, true);
    assertThat(fleet.objects().list()).isEmpty();
    assertThat(pods()).allMatch(pod -> pod.getMetadata().getOwnerReferences().isEmpty());
    assertThat(uids()).isEqualTo(before);
    // A new daemon sees the same, and so does a Deployment whose selector asks for them.
    end();
    fleet.close();
    startFleet();
    serve();
    assertThat(pods()).hasSize(2);
    applyWeb(2);
    await().until(() -> uids().equals(before));
    assertThat(pods())
        .allMatch(
            pod ->
                pod.getMetadata().getOwnerReferences().getFirst().getUid()
                    .equals(set().getMetadata().getUid()));
  }

  @Test
  void theWorkloadGoesLastIfItIsToldTo() throws Exception {
    applyWeb(2);
    runtime.fail("removeSandbox", Status.UNAVAILABLE);
    delete("deploy", "web", Cascade.CASCADE_FOREGROUND, false);
    await().until(() -> pods().stream().allMatch(pod -> pod.getMetadata().getDeletionTimestamp() != null));
    assertThat(
            object(ObjectKind.DEPLOYMENT, "web", Deployment.class).getMetadata().getFinalizers())
        .containsExactly("foregroundDeletion");
    assertThat(set().getMetadata().getDeletionTimestamp()).isNotNull();
    runtime.mend("removeSandbox");
    await().until(() -> pods().isEmpty() && fleet.objects().list().isEmpty());
  }

  @Test
  void waitsUntilAllIsGone() throws Exception {
    applyWeb(2);
    delete("deploy", "web", Cascade.CASCADE_FOREGROUND, true);
    assertThat(pods()).isEmpty();
    assertThat(fleet.objects().list()).isEmpty();
  }

  @Test
  void tellsWhatControllersDo() throws Exception {
    applyWeb(2);
    String set = set().getMetadata().getName();
    assertThat(events("Deployment"))
        .containsExactly("ScalingReplicaSet Scaled up replica set " + set + " from 0 to 2");
    List<String> names =
        pods().stream().map(pod -> "SuccessfulCreate Created pod: " + pod.getMetadata().getName()).toList();
    assertThat(events("ReplicaSet")).containsExactlyInAnyOrderElementsOf(names);
    applyWeb(1);
    await().until(() -> pods().size() == 1);
    assertThat(events("Deployment"))
        .contains("ScalingReplicaSet Scaled down replica set " + set + " from 2 to 1");
    assertThat(events("ReplicaSet")).anyMatch(event -> event.startsWith("SuccessfulDelete Deleted pod: web-"));
    assertThat(
            service
                .listObjects(
                    ListObjectsRequest.newBuilder()
                        .setSelector(WEB_SETS)
                        .setView(PodView.POD_VIEW_DESCRIPTION)
                        .build())
                .getObjects(0)
                .getText())
        .containsPattern("Normal +ScalingReplicaSet +[0-9]+s +deployment-controller +Scaled up");
    List<PodEvent> told = new ArrayList<>();
    service
        .events(
            PodEventsRequest.newBuilder()
                .setSelector(PodSelector.newBuilder().setNamespace("default").setName("web"))
                .setKind("deploy")
                .build())
        .forEachRemaining(told::add);
    assertThat(told).hasSize(2).allMatch(event -> event.getKind().equals("Deployment"));
    delete("deploy", "web", Cascade.CASCADE_BACKGROUND, true);
    assertThat(events("Deployment")).isEmpty();
  }

  @Test
  void aPodThatCanNotBeMadeIsToldOnce() throws Exception {
    apply(
        manifest("first", "Always", "{name: a, image: 'img:1', ports: [{containerPort: 1, hostPort: 81}]}"));
    apply(
        """
        apiVersion: apps/v1
        kind: ReplicaSet
        metadata: {name: next}
        spec:
          selector: {matchLabels: {app: next}}
          template:
            metadata: {labels: {app: next}}
            spec: {containers: [{name: a, image: 'img:1', ports: [{containerPort: 1, hostPort: 81}]}]}
        """);
    await()
        .until(
            () ->
                fleet.events().after(0, event -> event.reason().equals("FailedCreate")).stream()
                    .anyMatch(event -> event.count() > 1));
    assertThat(events("ReplicaSet"))
        .containsExactly(
            "FailedCreate Error creating: host port 0.0.0.0:81/TCP that pod default/next-* asks for is"
                + " taken by pod default/first");
    Pod first = pods().getFirst();
    fleet.delete(PodKey.of(first), Optional.of(0L));
    await().until(() -> events("ReplicaSet").size() == 2);
  }
}
