package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.status.Bare;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.EphemeralContainerBuilder;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Containers that are added to a pod that runs.
class EphemeralContainersTest extends FleetCase {
  private static final String ONE = manifest("web", "Always", "{name: a, image: 'img:1'}");

  private void debug(String name, String image, String target) throws InterruptedException {
    EphemeralContainerBuilder container =
        new EphemeralContainerBuilder().withName(name).withImage(image);
    if (!target.isEmpty()) {
      container.withTargetContainerName(target);
    }
    fleet.debug(WEB, container.build());
  }

  private ContainerStatus ephemeral(String name) {
    return pod(WEB).getStatus().getEphemeralContainerStatuses().stream()
        .filter(status -> status.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private void run() throws InterruptedException {
    apply(ONE);
    awaitStatus("Running");
  }

  @Test
  void seesTheProcessesOfItsTarget() throws InterruptedException {
    run();
    debug("look", "img:1", "a");
    await().until(() -> ephemeral("look").getState().getRunning() != null);
    NamespaceOption namespaces =
        runtime.config("look").getLinux().getSecurityContext().getNamespaceOptions();
    assertThat(namespaces.getPid()).isEqualTo(NamespaceMode.TARGET);
    assertThat(container(WEB, "a").getContainerID()).endsWith("//" + namespaces.getTargetId());
    assertThat(summary(WEB).getTotalContainers()).isEqualTo(1);
    debug("beside", "img:1", "");
    await().until(() -> runtime.running("beside") == 1);
    assertThat(
            runtime.config("beside").getLinux().getSecurityContext().getNamespaceOptions().getPid())
        .isNotEqualTo(NamespaceMode.TARGET);
  }

  @Test
  void neverRunsAgain() throws InterruptedException {
    run();
    debug("once", "img:1", "");
    await().until(() -> runtime.running("once") == 1);
    runtime.exit("once", 3);
    await().until(() -> ephemeral("once").getState().getTerminated() != null);
    assertThat(ephemeral("once").getState().getTerminated().getExitCode()).isEqualTo(3);
    assertThatThrownBy(() -> fleet.restart(WEB, "once")).hasMessageContaining("is not running");
    runtime.exit("a", 1);
    await().until(() -> container(WEB, "a").getRestartCount() == 1);
    runtime.loseSandboxes();
    await().until(() -> container(WEB, "a").getRestartCount() == 2);
    assertThat(ephemeral("once").getRestartCount()).isZero();
    assertThat(runtime.running("once")).isZero();
    assertThat(summary(WEB).getStatus()).isEqualTo("Running");
  }

  @Test
  void staysWithItsPodUntilThatIsGone() throws InterruptedException {
    run();
    debug("stays", "img:1", "a");
    await().until(() -> runtime.running("stays") == 1);
    assertThat(apply(ONE)).isEqualTo(Fleet.Result.UNCHANGED);
    runtime.addImage("img:2");
    assertThat(apply(ONE.replace("img:1", "img:2"))).isEqualTo(Fleet.Result.CONFIGURED);
    assertThat(pod(WEB).getSpec().getEphemeralContainers()).hasSize(1);
    fleet.close();
    startFleet();
    await().until(() -> fleet.board().get(WEB).isPresent());
    await().until(() -> ephemeral("stays").getState().getRunning() != null);
    assertThat(Bare.of(pod(WEB)).getSpec().getEphemeralContainers()).isEmpty();
    fleet.delete(WEB, Optional.of(0L));
    fleet.awaitGone(WEB);
    assertThat(runtime.isEmpty()).isTrue();
  }

  @Test
  void isHeldToKubernetesRules() throws InterruptedException {
    run();
    assertThatThrownBy(() -> debug("a", "img:1", ""))
        .hasMessage(
            "The Pod \"web\" is invalid: spec.ephemeralContainers[0].name: Duplicate value: \"a\"");
    assertThatThrownBy(() -> debug("Bad", "", "b"))
        .hasMessageContaining("spec.ephemeralContainers[0].targetContainerName: Not found: \"b\"")
        .hasMessageContaining("a lowercase RFC 1123 label")
        .hasMessageContaining("spec.ephemeralContainers[0].image: Required value");
    assertThat(pod(WEB).getSpec().getEphemeralContainers()).isEmpty();
    assertThatThrownBy(
            () ->
                fleet.debug(
                    new PodKey("default", "other"), new EphemeralContainerBuilder().build()))
        .hasMessageContaining("\"other\" not found");
  }

  @Test
  void nothingIsAddedToWhatHasEnded() throws InterruptedException {
    apply(ONE.replace("Always", "Never"));
    awaitStatus("Running");
    debug("late", "img:1", "");
    await().until(() -> runtime.running("late") == 1);
    runtime.exit("a", 0);
    awaitStatus("Completed");
    await().until(() -> runtime.running("late") == 0);
    assertThatThrownBy(() -> debug("later", "img:1", "")).hasMessageContaining("has ended");
  }
}
