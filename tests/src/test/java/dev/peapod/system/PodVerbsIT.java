package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Verbs of the client that look at pods and change them in place.
class PodVerbsIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  private String field(String pod, String path) {
    return peapod.client("get", "pod", pod, "-o", "jsonpath={" + path + "}").ok();
  }

  private String sh(String pod, String container, String script) {
    return peapod.client("exec", pod, "-c", container, "--", "sh", "-c", script).ok().strip();
  }

  @Test
  void fieldsAreExplained() {
    assertThat(peapod.client("explain", "pod.spec.containers").ok()).contains("livenessProbe");
    assertThat(peapod.client("explain", "pod.spec.nodeName").ok()).contains("one machine");
    Shell.Result none = peapod.client("explain", "pod.spec.nonsense");
    assertThat(none.exit()).isEqualTo(1);
    assertThat(none.err()).contains("nonsense");
  }

  @Test
  void oneContainerIsRestarted() {
    peapod.apply(Manifests.pod("again", "", Manifests.idle("one"), Manifests.idle("two")));
    peapod.awaitReady("again");
    Follower events = new Follower(peapod, "LAST", "events", "-w", "again");
    assertThat(peapod.client("restart", "again", "-c", "two").ok()).contains("two").doesNotContain("one");
    await()
        .atMost(PATIENCE)
        .until(() -> field("again", ".status.containerStatuses[*].restartCount"), "0 1"::equals);
    assertThat(peapod.client("restart", "again", "-c", "three").exit()).isEqualTo(1);
    assertThat(peapod.client("logs", "-p", "again", "-c", "one").err()).contains("not found");
    peapod.client("logs", "-p", "again", "-c", "two").ok();
    peapod.client("wait", "pod", "again", "--for=condition=Ready", "--timeout", "60s").ok();
    assertThat(peapod.client("wait", "pod", "again", "--for=phase=Failed", "--timeout", "1s").err())
        .contains("timed out");
    assertThat(peapod.client("events", "again").ok()).contains("Killing").contains("asked for");
    events.end();
    peapod.delete("again");
  }

  @Test
  void aManifestIsWrittenOfAPod() throws IOException {
    peapod.apply(
        Manifests.pod("model", "", Manifests.container("main", "exec sleep 100051", "env: [{name: A, value: b}]")));
    peapod.awaitReady("model");
    String manifest = peapod.client("generate", "model").ok();
    assertThat(manifest).contains("kind: Pod").doesNotContain("status:").doesNotContain("uid:");
    assertThat(peapod.clientWith(manifest, "apply", "-f", "-").ok()).contains("pod/model unchanged");
    Path file = directory.resolve("other.yaml");
    Files.writeString(file, manifest.replace("name: \"model\"", "name: \"other\"").replace("name: model", "name: other"));
    peapod.client("apply", "--wait", "-f", file.toString()).ok();
    assertThat(sh("other", "main", "echo $A")).isEqualTo("b");
    assertThat(peapod.client("get", "pods", "-o", "jsonpath={.items[*].metadata.name}").ok())
        .isEqualTo("model other");
    // The word for pods may stand before a name; what is not there keeps nothing else from being shown.
    assertThat(peapod.client("generate", "pod", "model").ok()).isEqualTo(manifest);
    assertThat(peapod.client("top", "pods").ok()).contains("model", "other");
    Shell.Result some = peapod.client("get", "pods", "nothing", "model");
    assertThat(some.out()).contains("model").doesNotContain("other");
    assertThat(some.err()).contains("pods \"nothing\" not found");
    assertThat(some.exit()).isEqualTo(1);
    assertThat(peapod.client("top", "pod", "nothing").exit()).isEqualTo(1);
    peapod.client("delete", "pod", "model", "other").ok();
  }

  @Test
  void anotherImageRestartsItsContainerAlone() {
    String manifest = Manifests.pod("images", "", Manifests.idle("one"), Manifests.idle("two"));
    peapod.apply(manifest);
    peapod.awaitReady("images");
    String id = field("images", ".status.containerStatuses[0].containerID");
    int second = manifest.lastIndexOf("image: " + Fixtures.BUSYBOX);
    String changed =
        manifest.substring(0, second)
            + manifest.substring(second).replace(Fixtures.BUSYBOX, "localhost/none:1");
    assertThat(peapod.clientWith(changed, "apply", "-f", "-").ok()).contains("pod/images configured");
    await()
        .atMost(PATIENCE)
        .until(() -> field("images", ".status.containerStatuses[1].state.waiting.reason").startsWith("ErrImage")
            || field("images", ".status.containerStatuses[1].state.waiting.reason").startsWith("ImagePull"));
    // Back to the image that is there.
    peapod.apply(manifest);
    PodSummary pod = peapod.awaitReady("images");
    assertThat(pod.getRestarts()).isEqualTo(1);
    assertThat(field("images", ".status.containerStatuses[0].containerID")).isEqualTo(id);
    // Anything else is refused, unless the pod may be made anew.
    String other = manifest.replace("sleep 100000", "sleep 100052");
    Shell.Result refused = peapod.clientWith(other, "apply", "-f", "-");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.err()).contains("pod updates may not change fields other than");
    String uid = field("images", ".metadata.uid");
    assertThat(peapod.clientWith(other, "apply", "--replace", "-f", "-").ok()).contains("pod/images replaced");
    peapod.awaitReady("images");
    assertThat(field("images", ".metadata.uid")).isNotEqualTo(uid);
    peapod.delete("images");
  }

  @Test
  void resourcesChangeWithoutARestart() {
    String manifest =
        Manifests.pod(
            "sized",
            "",
            Manifests.container(
                "main",
                "exec sleep 100053",
                """
                resources:
                  requests: {cpu: 100m, memory: 32Mi}
                  limits: {cpu: 500m, memory: 64Mi}
                resizePolicy:
                  - {resourceName: memory, restartPolicy: RestartContainer}
                """));
    peapod.apply(manifest);
    peapod.awaitReady("sized");
    assertThat(field("sized", ".status.containerStatuses[0].resources.limits.cpu")).isEqualTo("500m");
    assertThat(field("sized", ".status.containerStatuses[0].allocatedResources.memory")).isEqualTo("32Mi");
    peapod.apply(manifest.replace("cpu: 500m", "cpu: 250m"));
    await()
        .atMost(PATIENCE)
        .until(() -> field("sized", ".status.containerStatuses[0].resources.limits.cpu"), "250m"::equals);
    assertThat(sh("sized", "main", "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; true"))
        .startsWith("25000");
    assertThat(peapod.pod("sized").orElseThrow().getRestarts()).isZero();
    // Where the manifest says so, it restarts.
    peapod.apply(manifest.replace("memory: 64Mi", "memory: 80Mi"));
    await().atMost(PATIENCE).until(() -> peapod.pod("sized").orElseThrow().getRestarts() == 1);
    peapod.awaitReady("sized");
    assertThat(field("sized", ".status.containerStatuses[0].resources.limits.memory")).isEqualTo("80Mi");
    Shell.Result refused =
        peapod.clientWith(
            manifest.replaceAll("(?m)^ *(requests|limits): .*\\n", "").replaceAll("(?m)^ *resources:\\n", ""),
            "apply", "-f", "-");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.err()).contains("Pod QOS Class may not change");
    peapod.delete("sized");
  }

  @Test
  void anImageIsAVolume() {
    peapod.apply(
        Manifests.pod(
            "imaged",
            """
            securityContext: {supplementalGroupsPolicy: Strict, supplementalGroups: [4711]}
            volumes:
              - {name: image, image: {reference: %s}}
            """.formatted(Fixtures.BUSYBOX),
            Manifests.container(
                "main",
                "exec sleep 100054",
                """
                volumeMounts:
                  - {name: image, mountPath: /image}
                  - {name: image, mountPath: /part, subPath: etc}
                """)));
    peapod.awaitReady("imaged");
    assertThat(sh("imaged", "main", "cat /image/etc/peapod-test /part/peapod-test"))
        .isEqualTo("second layer\nsecond layer");
    assertThat(peapod.client("exec", "imaged", "--", "touch", "/image/x").exit()).isNotZero();
    assertThat(sh("imaged", "main", "id -G")).isEqualTo("0 4711");
    peapod.delete("imaged");
    peapod.apply(
        Manifests.pod(
            "missing",
            "volumes:\n  - {name: image, image: {reference: localhost/none:1, pullPolicy: Never}}\n",
            Manifests.container("main", "exec sleep 100055", "volumeMounts: [{name: image, mountPath: /image}]")));
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("missing").orElseThrow().getStatus().equals("ErrImageNeverPull"));
    peapod.delete("missing");
  }

  @Test
  void hooksAskByHttpAndSleep() {
    String hooks =
        """
        readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
        lifecycle:
          postStart: {sleep: {seconds: 1}}
          preStop: {httpGet: {port: web, path: "/cgi-bin/bye?x=1"}}
        ports: [{name: web, containerPort: 8000}]
        volumeMounts: [{name: diary, mountPath: /diary}]
        """;
    peapod.apply(
        Manifests.pod(
            "hooked",
            "volumes: [{name: diary, emptyDir: {}}]\n",
            Manifests.container(
                "main",
                "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho; echo $QUERY_STRING >/diary/log\\n'"
                    + " >/www/cgi-bin/bye; chmod +x /www/cgi-bin/bye; exec httpd -f -p 8000 -h /www",
                hooks),
            Manifests.container(
                "witness",
                "trap 'cat /diary/log; exit 0' TERM; echo up; while :; do sleep 0.1; done",
                "volumeMounts: [{name: diary, mountPath: /diary}]\nlifecycle: {preStop: {sleep: {seconds: 1}}}\n")));
    peapod.awaitReady("hooked");
    Follower reader = new Follower(peapod, "up\n", "logs", "-f", "hooked", "-c", "witness");
    peapod.client("delete", "pod", "hooked", "--grace-period", "20").ok();
    assertThat(reader.output()).isEqualTo("up\nx=1\n");
  }

  @Test
  void completionsKnowTheVerbs() {
    for (String shell : List.of("bash", "zsh", "fish")) {
      assertThat(peapod.client("completion", shell).ok()).contains("port-forward", "all-containers");
    }
  }
}
