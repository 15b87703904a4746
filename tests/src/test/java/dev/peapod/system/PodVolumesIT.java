package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// The volumes and documents of real pods, as their containers see them.
class PodVolumesIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final String CONFIG =
      """
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: conf}
      data: {greeting: %s, deep: down}
      """;

  private static final String SECRET =
      """
      apiVersion: v1
      kind: Secret
      metadata: {name: hush}
      stringData: {password: sesame}
      """;

  private PodSummary awaitPod(String name, Predicate<PodSummary> condition) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> peapod.pod(name).orElseThrow(), condition::test);
  }

  private String sh(String pod, String script) {
    return peapod.client("exec", pod, "--", "sh", "-c", script).ok().strip();
  }

  private static String mount(String... mounts) {
    StringBuilder text = new StringBuilder("volumeMounts:\n");
    for (String mount : mounts) {
      text.append("  - ").append(mount).append('\n');
    }
    return text.toString();
  }

  @Test
  void documentsAreSeenAndTheirChangesToo() {
    peapod.apply(
        Manifests.pod(
            "docs",
            """
            volumes:
              - {name: conf, configMap: {name: conf, items: [{key: greeting, path: a/b}]}}
              - {name: hush, secret: {secretName: hush, defaultMode: 0400}}
              - name: all
                projected:
                  sources:
                    - configMap: {name: conf}
                    - secret: {name: hush}
                    - downwardAPI:
                        items:
                          - {path: name, fieldRef: {fieldPath: metadata.name}}
                          - {path: cpu, resourceFieldRef: {containerName: main, resource: limits.cpu}}
            """,
            Manifests.container(
                "main",
                "exec sleep 100021",
                mount(
                        "{name: conf, mountPath: /conf}",
                        "{name: hush, mountPath: /hush}",
                        "{name: all, mountPath: /all}",
                        "{name: all, mountPath: /one, subPath: deep}")
                    + """
                    resources: {limits: {cpu: 500m, memory: 64Mi}}
                    env:
                      - {name: PASSWORD, valueFrom: {secretKeyRef: {name: hush, key: password}}}
                      - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
                      - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                      - {name: BOTH, value: $(PASSWORD)-$(MEMORY)-$(NOBODY)-$$(IP)}
                    """)));
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.client("describe", "pod", "docs").ok().contains("configmap \"conf\" not found"));
    assertThat(awaitPod("docs", p -> true).getPhase()).isEqualTo("Pending");
    peapod.apply(CONFIG.formatted("hello") + "---\n" + SECRET);
    PodSummary pod = peapod.awaitReady("docs");
    assertThat(sh("docs", "cat /conf/a/b")).isEqualTo("hello");
    assertThat(sh("docs", "cat /hush/password; stat -L -c %a /hush/password")).isEqualTo("sesame400");
    assertThat(sh("docs", "cat /all/name /all/cpu")).isEqualTo("docs1");
    assertThat(sh("docs", "cat /one")).isEqualTo("down");
    assertThat(sh("docs", "grep ' /hush ' /proc/mounts")).startsWith("tmpfs");
    assertThat(sh("docs", "echo $BOTH $IP"))
        .isEqualTo("sesame-64-$(NOBODY)-$(IP) " + pod.getIps(0));
    assertThat(peapod.client("exec", "docs", "--", "touch", "/conf/x").exit()).isNotZero();
    peapod.apply(CONFIG.formatted("bye"));
    await().atMost(PATIENCE).until(() -> sh("docs", "cat /conf/a/b /all/greeting"), "byebye"::equals);
    assertThat(peapod.client("get", "cm,secrets").ok()).contains("conf").contains("hush").contains("Opaque");
    assertThat(peapod.client("get", "cm", "-o", "jsonpath={.items[*].metadata.name}").ok())
        .isEqualTo("conf");
    assertThat(peapod.client("get", "cm", "conf", "-o", "jsonpath={.kind}/{.metadata.name}").ok())
        .isEqualTo("ConfigMap/conf");
    assertThat(peapod.client("describe", "secret", "hush").ok()).contains("6 bytes").doesNotContain("sesame");
    peapod.delete("docs");
    peapod.clientWith(CONFIG.formatted("bye") + "---\n" + SECRET, "delete", "-f", "-").ok();
    assertThat(peapod.client("get", "cm").ok()).isEmpty();
  }

  @Test
  void memoryHasItsLimitAndAGroupItsFiles() {
    peapod.apply(
        Manifests.pod(
            "memory",
            """
            securityContext: {runAsUser: 1000, fsGroup: 2000}
            volumes:
              - {name: small, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
              - {name: disk, emptyDir: {}}
            """,
            Manifests.container(
                "main",
                "exec sleep 100022",
                mount("{name: small, mountPath: /small}", "{name: disk, mountPath: /disk}"))));
    peapod.awaitReady("memory");
    assertThat(peapod.client("exec", "memory", "--", "sh", "-c", "head -c 2000000 /dev/zero >/small/x").exit())
        .isNotZero();
    assertThat(sh("memory", "stat -c %s /small/x")).isEqualTo("1048576");
    assertThat(sh("memory", "grep ' /small ' /proc/mounts"))
        .startsWith("tmpfs /small tmpfs ")
        .contains("rw,nosuid,nodev", "size=1024k");
    assertThat(sh("memory", "stat -c %a:%g /small")).isEqualTo("2777:2000");
    assertThat(sh("memory", "touch /disk/mine; stat -c %u:%g /disk/mine; stat -c %a /disk"))
        .isEqualTo("1000:2000\n2777");
    peapod.delete("memory");
  }

  @Test
  void aSubPathDoesNotLeadOut() throws IOException {
    Path outside = Files.createTempDirectory("peapod-outside");
    Files.writeString(outside.resolve("secret"), "host");
    String init =
        "initContainers:\n"
            + Manifests.container(
                    "maker",
                    "ln -s " + outside + " /v/out; ln -s / /v/root; mkdir /v/in; echo inside >/v/in/file",
                    mount("{name: v, mountPath: /v}"))
                .indent(2);
    peapod.apply(
        Manifests.pod(
            "parts",
            "volumes:\n  - {name: v, emptyDir: {}}\n" + init,
            Manifests.container(
                "main",
                "exec sleep 100023",
                mount(
                        "{name: v, mountPath: /a, subPath: in}",
                        "{name: v, mountPath: /b, subPathExpr: root/$(DIR)/file}",
                        "{name: v, mountPath: /c, subPath: new/one}",
                        "{name: v, mountPath: /d, subPath: root}")
                    + "env: [{name: DIR, value: in}]\n")));
    peapod.awaitReady("parts");
    assertThat(sh("parts", "cat /a/file /b")).isEqualTo("inside\ninside");
    assertThat(sh("parts", "ls /c; ls /d | sort | tr '\\n' ' '")).isEqualTo("in new out root");
    peapod.delete("parts");
    // Absolute links are links in the volume: nothing of the host is behind them.
    peapod.apply(
        Manifests.pod(
            "outside",
            "volumes:\n  - {name: v, emptyDir: {}}\n" + init,
            Manifests.container(
                "main", "ls -a /x; exec sleep 100024", mount("{name: v, mountPath: /x, subPath: out}"))));
    awaitPod("outside", p -> p.getStatus().equals("CreateContainerError"));
    assertThat(outside.resolve("secret")).hasContent("host");
    peapod.delete("outside");
    Files.delete(outside.resolve("secret"));
    Files.delete(outside);
  }

  @Test
  void aClaimKeepsItsFiles() {
    String claim =
        """
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: data}
        spec:
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 1Gi}}
        """;
    String pod =
        Manifests.pod(
            "keeper",
            "restartPolicy: Never\nvolumes:\n  - {name: v, persistentVolumeClaim: {claimName: data}}\n",
            Manifests.container(
                "main", "echo line >>/v/log; cat /v/log", mount("{name: v, mountPath: /v}")));
    peapod.apply(claim);
    for (int i = 0; i < 2; i++) {
      peapod.apply(pod);
      awaitPod("keeper", p -> p.getPhase().equals("Succeeded"));
      String log = peapod.client("logs", "keeper").ok();
      assertThat(log).isEqualTo("line\n".repeat(i + 1));
      peapod.delete("keeper");
    }
    assertThat(peapod.client("get", "pvc").ok()).contains("data").contains("Bound").contains("1Gi");
    peapod.client("delete", "pvc", "data").ok();
  }
}
