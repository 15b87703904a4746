package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Ephemeral containers: `peapod debug`.
class DebugIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private ContainerSummary container(String pod, String name) {
    return peapod.pod(pod).orElseThrow().getContainersList().stream()
        .filter(container -> container.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void seesTheProcessesOfItsTargetAlone() {
    peapod.apply(
        Manifests.pod(
            "apart",
            "shareProcessNamespace: false",
            Manifests.container("app", "exec sleep 100051", ""),
            Manifests.container("other", "exec sleep 100052", "")));
    peapod.awaitReady("apart");
    Shell.Result seen =
        peapod.clientWith(
            "ps; tr '\\\\0' ' ' </proc/1/cmdline; cat /proc/1/root/etc/hostname; exit 7\n",
            "debug", "-i", "apart", "--image", Fixtures.BUSYBOX, "--target", "app", "-c", "look", "--", "sh");
    assertThat(seen.out()).contains("sleep 100051").doesNotContain("sleep 100052");
    assertThat(seen.out()).as("its target's root").contains("apart");
    assertThat(seen.exit()).isEqualTo(7);
    Shell.Result alone =
        peapod.client(
            "debug", "--attach", "apart", "--image", Fixtures.BUSYBOX, "--", "sh", "-c", "ps; sleep 1");
    assertThat(alone.exit()).isZero();
    String made = alone.err().replaceAll("(?s).*\"(debugger-.....)\".*", "$1");
    assertThat(peapod.client("logs", "apart", "-c", made).ok()).doesNotContain("10005");
    assertThat(peapod.client("describe", "pod", "apart").ok())
        .contains("Ephemeral Containers:")
        .contains("look:")
        .containsPattern("Exit Code: +7\n");
    assertThat(peapod.client("get", "pod", "apart").ok()).contains("2/2").contains("Running");
    assertThat(peapod.client("get", "pod", "apart", "-o", "yaml").ok())
        .contains("targetContainerName: app")
        .contains("ephemeralContainerStatuses:");
    assertThat(peapod.client("generate", "apart").ok()).doesNotContain("ephemeral");
    peapod.delete("apart");
  }

  @Test
  void staysUntilThePodIsGone() {
    peapod.apply(Manifests.sleeper("kept"));
    peapod.awaitReady("kept");
    assertThat(
            peapod
                .client("debug", "kept", "--image", Fixtures.BUSYBOX, "-c", "tools", "--", "sleep", "100053")
                .ok())
        .isEqualTo("container \"tools\" added to pod kept\n");
    await().atMost(PATIENCE).until(() -> container("kept", "tools").getState().equals("running"));
    assertThat(peapod.client("exec", "kept", "-c", "tools", "--", "echo", "here").ok())
        .isEqualTo("here\n");
    peapod.apply(Manifests.sleeper("kept"));
    assertThat(container("kept", "tools").getEphemeral()).isTrue();
    peapod.stop();
    peapod.start();
    await().atMost(PATIENCE).until(() -> container("kept", "tools").getState().equals("running"));
    assertThat(peapod.client("signal", "kept", "KILL", "-c", "tools").exit()).isZero();
    await().atMost(PATIENCE).until(() -> container("kept", "tools").getState().equals("terminated"));
    assertThat(container("kept", "tools").getExitCode()).isEqualTo(137);
    assertThat(peapod.client("restart", "kept", "-c", "tools").exit()).isEqualTo(1);
    peapod.delete("kept");
  }

  @Test
  void aCopyRunsAnotherCommand() {
    peapod.apply(Manifests.sleeper("origin"));
    peapod.awaitReady("origin");
    assertThat(
            peapod
                .client("debug", "origin", "--copy-to", "copy", "-c", "main", "--", "sleep", "100077")
                .ok())
        .isEqualTo("pod/copy created\n");
    peapod.awaitReady("copy");
    assertThat(peapod.client("exec", "copy", "--", "ps").ok()).contains("sleep 100077");
    peapod.client("wait", "pod/copy", "--for=create").ok();
    peapod
        .client("wait", "pod/origin", "--for=jsonpath={.status.phase}=Running", "--timeout", "60s")
        .ok();
    assertThat(peapod.client("exec", "origin", "--", "ps").ok()).doesNotContain("sleep 100077");
    peapod.delete("copy");
    peapod.delete("origin");
  }

  @Test
  void profilesAreThoseOfKubectl() {
    peapod.apply(Manifests.sleeper("profiles"));
    peapod.awaitReady("profiles");
    assertThat(effective("profiles", "baseline")).isEqualTo(0xa80425fbL);
    assertThat(effective("profiles", "general")).isEqualTo(0xa80425fbL | 1L << 19);
    assertThat(effective("profiles", "netadmin")).isEqualTo(0xa80425fbL | 1L << 12);
    assertThat(
            peapod.client("debug", "profiles", "--image", Fixtures.BUSYBOX, "--profile", "none").err())
        .contains("there is no profile \"none\"");
    assertThat(
            peapod.client("debug", "profiles", "--copy-to", "x", "--same-node").err())
        .contains("every pod runs on this machine");
    assertThat(peapod.client("debug", "profiles", "--image", Fixtures.BUSYBOX, "-c", "main").err())
        .contains("Duplicate value: \"main\"");
    assertThat(peapod.client("debug", "nobody", "--image", Fixtures.BUSYBOX).err())
        .contains("pods \"nobody\" not found");
    peapod.delete("profiles");
  }

  /// What capabilities a debugger of that profile has.
  private long effective(String pod, String profile) {
    Shell.Result result =
        peapod.client(
            "debug", "--attach", pod, "-c", profile, "--profile", profile, "--image", Fixtures.BUSYBOX,
            "--", "grep", "CapEff", "/proc/self/status");
    assertThat(result.exit()).as(result.err()).isZero();
    String log = peapod.client("logs", pod, "-c", profile).ok();
    return Long.parseUnsignedLong(log.replaceFirst("CapEff:", "").strip(), 16);
  }
}
