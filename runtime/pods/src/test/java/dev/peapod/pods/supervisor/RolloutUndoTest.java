package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.proto.peapod.v1.RolloutHistoryRequest;
import dev.peapod.proto.peapod.v1.RolloutRevision;
import dev.peapod.proto.peapod.v1.UndoRolloutRequest;
import dev.peapod.proto.peapod.v1.UndoRolloutResponse;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A Deployment's earlier templates, shown and taken back.
@Timeout(120)
class RolloutUndoTest extends WorkloadCase {
  private void rollOut(String image, String cause, String more) throws InterruptedException {
    apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, annotations: {kubernetes.io/change-cause: '%s'}}
        spec:
          %s
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: a, image: '%s'}]}
        """
            .formatted(cause, more, image));
  }

  private Deployment web() {
    return (Deployment)
        fleet.objects().get(new ObjectKey(ObjectKind.DEPLOYMENT, "default", "web")).orElseThrow();
  }

  private String image() {
    return web().getSpec().getTemplate().getSpec().getContainers().getFirst().getImage();
  }

  private List<String> history() {
    return service
        .rolloutHistory(
            RolloutHistoryRequest.newBuilder()
                .setKind("deploy")
                .setNamespace("default")
                .setName("web")
                .build())
        .getRevisionsList()
        .stream()
        .map(r -> r.getNumber() + " " + r.getCause())
        .toList();
  }

  private UndoRolloutResponse undo(long revision) {
    return service.undoRollout(
        UndoRolloutRequest.newBuilder()
            .setKind("deployment")
            .setNamespace("default")
            .setName("web")
            .setToRevision(revision)
            .build());
  }

  private void awaitHistory(String... lines) {
    await().until(this::history, List.of(lines)::equals);
  }

  @Test
  void anEarlierTemplateComesBackAsTheLatestRevision() throws Exception {
    rollOut("img:1", "first", "");
    awaitHistory("1 first");
    assertThatThrownBy(() -> undo(0)).hasMessageContaining("no rollout history found");
    rollOut("img:2", "second", "");
    awaitHistory("1 first", "2 second");
    rollOut("img:3", "third", "");
    awaitHistory("1 first", "2 second", "3 third");

    assertThat(undo(0).getRevision()).isEqualTo(2);
    assertThat(image()).isEqualTo("img:2");
    awaitHistory("1 first", "3 third", "4 second");
    assertThat(web().getMetadata().getAnnotations()).containsValue("second");

    assertThat(undo(1).getUnchanged()).isFalse();
    assertThat(image()).isEqualTo("img:1");
    awaitHistory("3 third", "4 second", "5 first");
    assertThat(undo(5).getUnchanged()).isTrue();
    assertThatThrownBy(() -> undo(1)).hasMessageContaining("unable to find specified revision 1");
    // The pods follow.
    await()
        .until(
            () ->
                fleet.board().list().entries().stream()
                    .map(e -> e.pod().getSpec().getContainers().getFirst().getImage())
                    .toList(),
            List.of("img:1")::equals);
  }

  @Test
  void showsTheTemplates() throws Exception {
    rollOut("img:1", "", "");
    awaitHistory("1 ");
    List<RolloutRevision> all =
        service.rolloutHistory(
                RolloutHistoryRequest.newBuilder()
                    .setKind("deployment")
                    .setNamespace("default")
                    .setName("web")
                    .build())
            .getRevisionsList();
    assertThat(all.getFirst().getText())
        .contains("Pod Template:")
        .contains("Image:    img:1")
        .doesNotContain("hash");
  }

  @Test
  void whatIsPausedOrHasNoHistoryIsNotTakenBack() throws Exception {
    rollOut("img:1", "first", "");
    awaitHistory("1 first");
    rollOut("img:2", "second", "");
    awaitHistory("1 first", "2 second");
    rollOut("img:2", "second", "paused: true");
    assertThatThrownBy(() -> undo(1)).hasMessageContaining("cannot rollback a paused deployment");
    assertThatThrownBy(
            () ->
                service.undoRollout(
                    UndoRolloutRequest.newBuilder()
                        .setKind("ds")
                        .setNamespace("default")
                        .setName("web")
                        .build()))
        .hasMessageContaining("\"web\" not found");
  }
}
