package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What keeps pods there: a directory of manifests, a reboot.
class PodKeepingIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Override
  protected String[] flags() {
    return new String[] {"--back-off", "200ms", "--back-off-max", "1s"};
  }

  private void write(String name, String manifest) throws IOException {
    Files.createDirectories(peapod.manifests());
    Path file = peapod.manifests().resolve(".new");
    Files.writeString(file, manifest);
    Files.move(file, peapod.manifests().resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  private void awaitGone(String pod) {
    await().atMost(PATIENCE).until(() -> peapod.pod(pod).isEmpty());
  }

  private PodSummary awaitThere(String pod) {
    await().atMost(PATIENCE).until(() -> peapod.pod(pod).isPresent());
    return peapod.awaitReady(pod);
  }

  @Test
  void aDirectoryOfManifestsIsKept() throws IOException {
    String config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {a: b}\n";
    write("a.yaml", Manifests.sleeper("static-a") + config);
    write("b.yaml", Manifests.sleeper("static-b"));
    write("c.yaml", "kind: Nonsense");
    String uid = awaitThere("static-a").getUid();
    awaitThere("static-b");
    await().atMost(PATIENCE).until(() -> peapod.log().contains("c.yaml is left as it was"));
    assertThat(peapod.client("get", "cm", "-o", "name").ok()).isEqualTo("configmap/kept\n");
    // What can not be changed in place is made anew; a version that is wrong changes nothing.
    write("a.yaml", Manifests.pod("static-a", "", Manifests.container("main", "exec sleep 100061", "")));
    PodProcesses.await(peapod, "sleep 100061", 1);
    assertThat(awaitThere("static-a").getUid()).isNotEqualTo(uid);
    await().atMost(PATIENCE).until(() -> peapod.client("get", "cm", "-o", "name").ok().isEmpty());
    write("a.yaml", "kind: Nonsense");
    await().atMost(PATIENCE).until(() -> peapod.log().contains("a.yaml is left as it was"));
    assertThat(PodProcesses.of(peapod, "sleep 100061")).hasSize(1);
    // Deleted by hand, it comes back; deleted with its file, it does not, even if nobody watched.
    peapod.delete("static-b");
    awaitThere("static-b");
    Files.delete(peapod.manifests().resolve("a.yaml"));
    awaitGone("static-a");
    peapod.stop();
    Files.delete(peapod.manifests().resolve("b.yaml"));
    Files.delete(peapod.manifests().resolve("c.yaml"));
    peapod.start();
    awaitGone("static-b");
    assertThat(peapod.client("events", "--after", "1").err()).contains("too old");
    warmUp();
  }

  @Test
  void aCrashLoopIsAsSlowAsConfigured() {
    peapod.apply(Manifests.pod("loop", "", Manifests.container("main", "exit 1", "")));
    await().atMost(PATIENCE).until(() -> peapod.pod("loop").orElseThrow().getRestarts() >= 5);
    peapod.delete("loop");
  }

  @Test
  void podsComeBackAfterAReboot() throws IOException {
    String init =
        "initContainers:\n"
            + Manifests.container("init", "echo $(cat /proc/sys/kernel/random/uuid) >>/disk/boots", "volumeMounts: [{name: disk, mountPath: /disk}]").indent(2);
    peapod.apply(
        Manifests.pod(
            "always",
            "volumes: [{name: disk, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]\n" + init,
            Manifests.container(
                "main",
                "exec sleep 100062",
                "volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}]")));
    peapod.apply(
        Manifests.pod("never", "restartPolicy: Never\n", Manifests.container("main", "exec sleep 100063", "")));
    peapod.awaitReady("always");
    peapod.awaitReady("never");
    peapod.client("exec", "always", "--", "touch", "/disk/there", "/memory/there").ok();
    // What runs is written down a moment later.
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                Shell.run("sh", "-c", "grep -l running " + peapod.root() + "/pods/*/status.json")
                    .out()
                    .lines()
                    .count(),
            count -> count == 2);
    peapod.kill();
    // A reboot ends every process and every mount, and gives the kernel's run another name.
    PodProcesses.killAll(peapod);
    peapod.startAfterAReboot();
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("always").orElseThrow().getRestarts() == 1);
    peapod.awaitReady("always");
    assertThat(PodProcesses.of(peapod, "sleep 100062")).hasSize(1);
    assertThat(peapod.client("exec", "always", "--", "sh", "-c", "wc -l </disk/boots; ls /disk").ok())
        .isEqualTo("2\nboots\nthere\n");
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("never").orElseThrow().getPhase().equals("Failed"));
    assertThat(PodProcesses.of(peapod, "sleep 100063")).isEmpty();
    assertThat(peapod.client("get", "pod", "never", "-o", "yaml").ok()).contains("ContainerStatusUnknown");
    peapod.client("delete", "pods", "--all").ok();
    peapod.stop();
    peapod.start();
    warmUp();
  }
}
