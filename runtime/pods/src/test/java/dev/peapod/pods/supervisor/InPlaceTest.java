package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;

/// What changes of a pod that is there.
class InPlaceTest extends FleetCase {
  private static final String TWO =
      manifest(
          "web",
          "Always",
          "{name: a, image: 'img:1', resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}}",
          "{name: b, image: 'img:1'}");

  private void runBoth() throws InterruptedException {
    apply(TWO);
    await().until(() -> summary(WEB).getReadyContainers() == 2);
  }

  @Test
  void anotherImageRestartsItsContainerAlone() throws InterruptedException {
    runtime.addImage("img:2");
    runBoth();
    String neighbour = container(WEB, "a").getContainerID();
    String changed = TWO.replace("{name: b, image: 'img:1'}", "{name: b, image: 'img:2'}");
    assertThat(apply(changed)).isEqualTo(Fleet.Result.CONFIGURED);
    await().until(() -> container(WEB, "b").getRestartCount() == 1);
    await().until(() -> container(WEB, "b").getReady());
    assertThat(container(WEB, "b").getImage()).isEqualTo("img:2");
    assertThat(container(WEB, "a").getContainerID()).isEqualTo(neighbour);
    assertThat(apply(changed)).isEqualTo(Fleet.Result.UNCHANGED);
  }

  @Test
  void resourcesAreGivenToARunningContainer() throws InterruptedException {
    runBoth();
    apply(TWO.replace("limits: {cpu: 200m}", "limits: {cpu: 400m}"));
    await()
        .until(
            () ->
                String.valueOf(container(WEB, "a").getResources().getLimits().get("cpu"))
                    .equals("400m"));
    assertThat(container(WEB, "a").getRestartCount()).isZero();
    assertThat(happened("ResizeCompleted")).isTrue();
  }

  @Test
  void whatMayNotChangeIsSaidInKubernetesWords() throws InterruptedException {
    runBoth();
    assertThatThrownBy(() -> apply(TWO.replace("name: b,", "name: b, command: [x],")))
        .hasMessageContaining("pod updates may not change fields other than")
        .hasMessageContaining("--replace");
    assertThatThrownBy(
            () -> apply(TWO.replace(", resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}", "")))
        .hasMessageContaining("Pod QOS Class may not change");
    assertThatThrownBy(() -> apply(TWO.replace("name: b,", "name: c,")))
        .hasMessageContaining("pod updates may not change");
  }
}
