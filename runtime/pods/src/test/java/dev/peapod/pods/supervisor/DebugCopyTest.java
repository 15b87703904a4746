package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.PodKey;
import dev.peapod.proto.peapod.v1.DebugRequest;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Copies of pods, and templates of pods that are watched.
@Timeout(120)
class DebugCopyTest extends WorkloadCase {
  private static final DebugRequest COPY =
      DebugRequest.newBuilder()
          .setNamespace("default")
          .setName("web")
          .setCopyTo("copy")
          .build();

  private void applyWeb() throws InterruptedException {
    runtime.addImage("img:2");
    apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}, annotations: {note: pea}}
        spec:
          containers:
          - name: a
            image: 'img:1'
            command: [serve]
            args: [fast]
            readinessProbe: {exec: {command: [ready]}}
            securityContext: {capabilities: {drop: [NET_RAW]}}
          - {name: b, image: 'img:1'}
        """);
    await().until(() -> summary(WEB).getReadyContainers() == 2);
  }

  private static Container container(Pod pod, int index) {
    return pod.getSpec().getContainers().get(index);
  }

  @Test
  void aCopyHasOneContainerMore() throws Exception {
    applyWeb();
    String name =
        service
            .debug(COPY.toBuilder().setImage("img:2").addCommand("look").setShareProcesses(false).build())
            .getContainer();
    assertThat(name).startsWith("debugger-");
    Pod copy = pod(new PodKey("default", "copy"));
    assertThat(copy.getMetadata().getLabels()).isNullOrEmpty();
    assertThat(copy.getMetadata().getAnnotations()).isNullOrEmpty();
    assertThat(copy.getSpec().getShareProcessNamespace()).isFalse();
    assertThat(copy.getSpec().getContainers()).hasSize(3);
    assertThat(container(copy, 0).getReadinessProbe()).isNull();
    assertThat(container(copy, 2).getCommand()).containsExactly("look");
    assertThat(container(copy, 2).getSecurityContext().getCapabilities().getAdd())
        .containsExactly("SYS_PTRACE");
    assertThat(container(pod(WEB), 0).getReadinessProbe()).isNotNull();
    assertThatThrownBy(() -> service.debug(COPY.toBuilder().setImage("img:2").build()))
        .hasMessageContaining("pods \"copy\" already exists");
  }

  @Test
  void aCopyMayHaveAContainerChanged() throws Exception {
    applyWeb();
    assertThat(
            service
                .debug(
                    COPY.toBuilder()
                        .setContainer("a")
                        .addCommand("sh")
                        .putSetImage("*", "img:2")
                        .setStdin(true)
                        .build())
                .getContainer())
        .isEqualTo("a");
    Pod copy = pod(new PodKey("default", "copy"));
    assertThat(copy.getSpec().getContainers())
        .hasSize(2)
        .allMatch(container -> container.getImage().equals("img:2"));
    assertThat(container(copy, 0).getCommand()).containsExactly("sh");
    assertThat(container(copy, 0).getArgs()).isEmpty();
    assertThat(container(copy, 0).getStdin()).isTrue();
    assertThat(container(copy, 0).getSecurityContext().getCapabilities().getDrop())
        .containsExactly("NET_RAW");
  }

  @Test
  void aCopyMayHaveOtherImagesAlone() throws Exception {
    applyWeb();
    assertThatThrownBy(() -> service.debug(COPY))
        .hasMessageContaining("you must specify image when creating new container");
    assertThat(service.debug(COPY.toBuilder().putSetImage("b", "img:2").build()).getContainer())
        .isEmpty();
    Pod copy = pod(new PodKey("default", "copy"));
    assertThat(container(copy, 0).getImage()).isEqualTo("img:1");
    assertThat(container(copy, 1).getImage()).isEqualTo("img:2");
  }

  @Test
  void aWatchHasWhatATemplateFinds() throws Exception {
    applyWeb();
    PodChange first =
        service
            .watch(
                WatchPodsRequest.newBuilder()
                    .setSelector(PodSelector.newBuilder().setName("web"))
                    .setView(PodView.POD_VIEW_JSONPATH)
                    .setTemplate("{.status.phase}")
                    .build())
            .next();
    assertThat(List.of(first.getType(), first.getPod().getText()))
        .containsExactly(PodChange.Type.ADDED, "Running");
  }
}
