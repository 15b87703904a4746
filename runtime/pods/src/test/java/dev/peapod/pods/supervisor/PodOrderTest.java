package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.grpc.Status;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What runs when: init containers, sidecars, hooks, deadlines, restart rules.
@Timeout(120)
class PodOrderTest extends FleetCase {
  private static String withInits(String policy, String inits, String... containers) {
    return manifest("web", policy, containers) + "  initContainers:\n" + inits.indent(2);
  }

  private ContainerStatus init(String name) {
    return pod(WEB).getStatus().getInitContainerStatuses().stream()
        .filter(s -> s.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private List<String> calls(String verb) {
    return runtime.calls.stream().filter(call -> call.startsWith(verb + " ")).toList();
  }

  @Test
  void sidecarsComeUpInTheirTurnAndRunOnBesideTheRest() throws Exception {
    apply(
        withInits(
            "Always",
            """
            - {name: one, image: 'img:1'}
            - {name: side, image: 'img:1', restartPolicy: Always}
            - {name: two, image: 'img:1'}
            """,
            "{name: main, image: 'img:1'}"));
    await().until(() -> runtime.running("one") == 1);
    assertThat(runtime.running("side")).isZero();
    runtime.exit("one", 0);
    await().until(() -> runtime.running("two") == 1);
    assertThat(runtime.running("side")).isEqualTo(1);
    assertThat(runtime.running("main")).isZero();
    runtime.exit("two", 0);
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    assertThat(summary(WEB).getTotalContainers()).isEqualTo(2);
    assertThat(summary(WEB).getStatus()).isEqualTo("Running");
    // It comes back, and nothing else runs again.
    runtime.exit("side", 1);
    await().until(() -> init("side").getRestartCount() == 1 && runtime.running("side") == 1);
    assertThat(container(WEB, "main").getRestartCount()).isZero();
    assertThat(init("two").getRestartCount()).isZero();
  }

  @Test
  void sidecarsDoNotKeepAPodFromEnding() throws Exception {
    apply(
        withInits(
            "Never",
            """
            - {name: first, image: 'img:1', restartPolicy: Always}
            - {name: second, image: 'img:1', restartPolicy: Always}
            """,
            "{name: main, image: 'img:1'}"));
    await().until(() -> runtime.running("main") == 1);
    runtime.exit("main", 0);
    awaitStatus("Completed");
    assertThat(pod(WEB).getStatus().getPhase()).isEqualTo("Succeeded");
    assertThat(runtime.running("first") + runtime.running("second")).isZero();
    assertThat(calls("stop").stream().map(c -> c.split(" ")[1]).toList())
        .as("the last one first")
        .containsSubsequence("second", "first");
  }

  @Test
  void sidecarsEndLastWhenThePodIsDeleted() throws Exception {
    apply(
        withInits(
            "Always",
            """
            - {name: first, image: 'img:1', restartPolicy: Always}
            - {name: second, image: 'img:1', restartPolicy: Always}
            """,
            "{name: main, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 3);
    fleet.delete(WEB, Optional.empty());
    fleet.awaitGone(WEB);
    assertThat(calls("stop").stream().map(c -> c.split(" ")[1]).toList())
        .containsExactly("main", "second", "first");
  }

  @Test
  void aHookAfterTheStartComesBeforeTheProbes() throws Exception {
    runtime.exec =
        request -> request.getCmd(0).equals("hook") && runtime.running("gate") == 0 ? 1 : 0;
    apply(
        manifest(
            "web",
            "Always",
            "{name: main, image: 'img:1', lifecycle: {postStart: {exec: {command: [hook]}}}}"));
    // It fails, so that the container is ended and started again, until the hook goes well.
    await().until(() -> happened("FailedPostStartHook"));
    await().until(() -> container(WEB, "main").getRestartCount() > 0);
    runtime.exec = request -> 0;
    await().until(() -> summary(WEB).getReadyContainers() == 1);
  }

  @Test
  void aHookBeforeTheEndComesBeforeTheStop() throws Exception {
    apply(
        manifest(
            "web",
            "Always",
            "{name: main, image: 'img:1', lifecycle: {preStop: {exec: {command: [bye]}}}}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    fleet.delete(WEB, Optional.empty());
    fleet.awaitGone(WEB);
    assertThat(runtime.calls).containsSubsequence("exec bye", calls("stop").getFirst());
  }

  @Test
  void aPodThatIsActiveTooLongFails() throws Exception {
    apply(
        manifest("web", "Always", "{name: main, image: 'img:1'}") + "  activeDeadlineSeconds: 1\n");
    await().until(() -> pod(WEB).getStatus().getPhase().equals("Failed"));
    assertThat(pod(WEB).getStatus().getReason()).isEqualTo("DeadlineExceeded");
    assertThat(runtime.running("main")).isZero();
    assertThat(happened("DeadlineExceeded")).isTrue();
    // A new daemon does not take it up again.
    fleet.close();
    startFleet();
    await().until(() -> fleet.board().get(WEB).isPresent());
    await().until(() -> pod(WEB).getStatus().getPhase().equals("Failed"));
    assertThat(runtime.running("main")).isZero();
  }

  @Test
  void rulesOfAContainerComeBeforeThePodsPolicy() throws Exception {
    apply(
        manifest(
            "web",
            "Never",
            "{name: main, image: 'img:1', restartPolicy: Never, restartPolicyRules:"
                + " [{action: Restart, exitCodes: {operator: In, values: [42]}}]}",
            "{name: other, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    runtime.exit("main", 42);
    await().until(() -> container(WEB, "main").getRestartCount() == 1);
    await().until(() -> runtime.running("main") == 1);
    runtime.exit("main", 0);
    runtime.exit("other", 1);
    await().until(() -> pod(WEB).getStatus().getPhase().equals("Failed"));
  }

  @Test
  void anInitContainerThatCanNotBeMadeHoldsUpTheRest() throws Exception {
    runtime.fail("create:one", Status.INTERNAL.withDescription("no room"));
    apply(withInits("Always", "- {name: one, image: 'img:1'}\n", "{name: main, image: 'img:1'}"));
    awaitStatus("Init:CreateContainerError");
    assertThat(runtime.running("main")).isZero();
    runtime.mend("create:one");
    await().until(() -> runtime.running("one") == 1);
    runtime.exit("one", 0);
    await().until(() -> summary(WEB).getReadyContainers() == 1);
  }

  @Test
  void whatIsAskedToRestartRunsAgainWhateverItsPolicyIs() throws Exception {
    apply(manifest("web", "Never", "{name: a, image: 'img:1'}", "{name: b, image: 'img:1'}"));
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    assertThat(fleet.restart(WEB, "a")).containsExactly("a");
    await().until(() -> runtime.runningAttempt("a").equals(Optional.of(1)));
    assertThat(runtime.runningAttempt("b")).contains(0);
    await().until(() -> summary(WEB).getReadyContainers() == 2);
    assertThatThrownBy(() -> fleet.restart(WEB, "c")).hasMessageContaining("is not running");
  }
}
