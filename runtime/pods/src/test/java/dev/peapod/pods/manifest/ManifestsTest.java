package dev.peapod.pods.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ManifestsTest {
  private static final String MINIMAL =
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: web
      spec:
        containers:
        - name: a
          image: b
      """;

  private static List<Manifest> read(String text) {
    return new Manifests(true)
        .read(
            List.of(new ManifestSource("a.yaml", text.getBytes(StandardCharsets.UTF_8))),
            "default");
  }

  private static Pod pod(String text) {
    return ((PodManifest) read(text).getFirst()).pod();
  }

  @Test
  void fillsInKubernetesDefaults() {
    Pod pod = pod(MINIMAL);
    assertThat(pod.getMetadata().getNamespace()).isEqualTo("default");
    assertThat(pod.getSpec().getRestartPolicy()).isEqualTo("Always");
    assertThat(pod.getSpec().getDnsPolicy()).isEqualTo("ClusterFirst");
    assertThat(pod.getSpec().getTerminationGracePeriodSeconds()).isEqualTo(30);
    assertThat(pod.getSpec().getShareProcessNamespace()).isTrue();
    Container container = pod.getSpec().getContainers().getFirst();
    assertThat(container.getImagePullPolicy()).isEqualTo("Always");
    assertThat(container.getTerminationMessagePath()).isEqualTo("/dev/termination-log");
    assertThat(container.getTerminationMessagePolicy()).isEqualTo("File");
  }

  @Test
  void keepsProcessesApartWhereTheManifestSaysSo() {
    assertThat(
            pod(MINIMAL.replace("spec:", "spec:\n  shareProcessNamespace: false"))
                .getSpec()
                .getShareProcessNamespace())
        .isFalse();
    assertThat(
            pod(MINIMAL.replace("spec:", "spec:\n  hostPID: true"))
                .getSpec()
                .getShareProcessNamespace())
        .isNull();
  }

  @Test
  void pullsAlwaysOnlyWhereTheTagIsLatest() {
    Map<String, String> policies =
        Map.of(
            "nginx",
            "Always",
            "nginx:latest",
            "Always",
            "nginx:1.28",
            "IfNotPresent",
            "localhost:5000/nginx",
            "Always",
            "localhost:5000/nginx:2",
            "IfNotPresent",
            "nginx@sha256:" + "0".repeat(64),
            "IfNotPresent");
    policies.forEach(
        (image, policy) ->
            assertThat(
                    pod(MINIMAL.replace("image: b", "image: " + image))
                        .getSpec()
                        .getContainers()
                        .getFirst()
                        .getImagePullPolicy())
                .as(image)
                .isEqualTo(policy));
  }

  @Test
  void takesALimitForTheRequestThatIsMissing() {
    Pod pod =
        pod(
            MINIMAL
                + "    resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {cpu: 100m}}\n");
    var requests = pod.getSpec().getContainers().getFirst().getResources().getRequests();
    assertThat(requests.get("memory")).hasToString("64Mi");
    assertThat(requests.get("cpu")).hasToString("100m");
  }

  @Test
  void fillsInProbes() {
    var probe =
        pod(MINIMAL + "    livenessProbe: {httpGet: {port: 80}}\n")
            .getSpec()
            .getContainers()
            .getFirst()
            .getLivenessProbe();
    assertThat(probe.getPeriodSeconds()).isEqualTo(10);
    assertThat(probe.getTimeoutSeconds()).isEqualTo(1);
    assertThat(probe.getFailureThreshold()).isEqualTo(3);
    assertThat(probe.getSuccessThreshold()).isEqualTo(1);
    assertThat(probe.getHttpGet().getPath()).isEqualTo("/");
    assertThat(probe.getHttpGet().getScheme()).isEqualTo("HTTP");
  }

  @Test
  void takesTheContainerPortForTheHostPortInTheHostNetwork() {
    Pod pod =
        pod(
            MINIMAL.replace("spec:", "spec:\n  hostNetwork: true")
                + "    ports: [{containerPort: 80}]\n");
    assertThat(pod.getSpec().getContainers().getFirst().getPorts().getFirst().getHostPort())
        .isEqualTo(80);
  }

  @Test
  void readsSeveralDocumentsOfSeveralSources() {
    String second = MINIMAL.replace("name: web", "name: db");
    List<Manifest> pods =
        new Manifests(true)
            .read(
                List.of(
                    new ManifestSource(
                        "a",
                        ("---\n" + MINIMAL + "---\n---\n" + second)
                            .getBytes(StandardCharsets.UTF_8)),
                    new ManifestSource(
                        "b",
                        """
                        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "json"},
                         "spec": {"containers": [{"name": "a", "image": "b"}]}}
                        """
                            .getBytes(StandardCharsets.UTF_8))),
                "apps");
    assertThat(pods).extracting(Manifest::name).containsExactly("web", "db", "json");
    assertThat(pods).extracting(Manifest::namespace).containsOnly("apps");
  }

  @Test
  void understandsAnchorsAndMergeKeys() {
    Pod pod =
        pod(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web}
            spec:
              containers:
              - &a
                name: a
                image: b:1
                args: ["x"]
              - <<: *a
                name: c
            """);
    Container merged = pod.getSpec().getContainers().get(1);
    assertThat(merged.getName()).isEqualTo("c");
    assertThat(merged.getImage()).isEqualTo("b:1");
    assertThat(merged.getArgs()).containsExactly("x");
  }

  @Test
  void dropsWhatAServerFillsIn() {
    Pod pod =
        pod(
            MINIMAL.replace(
                    "  name: web",
                    "  name: web\n  uid: abc\n  creationTimestamp: null\n  resourceVersion: \"5\"")
                + "status:\n  phase: Running\n");
    assertThat(pod.getMetadata().getUid()).isNull();
    assertThat(pod.getStatus()).isNull();
  }

  @Test
  void readsQuotedWordsAsStrings() {
    Pod pod =
        pod(
            MINIMAL
                + "    env: [{name: A, value: \"yes\"}, {name: B, value: '0644'}, {name: C, value:"
                + " 1:30}]\n");
    assertThat(pod.getSpec().getContainers().getFirst().getEnv())
        .extracting(e -> e.getValue())
        .containsExactly("yes", "0644", "1:30");
  }

  @Test
  void refusesABombOfAnchors() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
      bomb.append(
          "a" + i + ": &a" + i + " [" + ("*a" + (i - 1) + ",").repeat(9) + "*a" + (i - 1) + "]\n");
    }
    assertThatThrownBy(() -> read(bomb.toString()))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("has more than 200000 values, anchors expanded");
  }

  @Test
  void refusesHugeAndDeepDocuments() {
    assertThatThrownBy(() -> read("a: " + "x".repeat(4 << 20)))
        .hasMessage("a.yaml:1:1: is larger than 3 MiB");
    assertThatThrownBy(() -> read("[".repeat(10_000))).isInstanceOf(PeapodException.class);
    assertThatThrownBy(() -> read("{\"a\":".repeat(10_000))).isInstanceOf(PeapodException.class);
  }

  @Test
  void refusesWhatIsNotText() {
    byte[] bytes = {(byte) 0xff, (byte) 0xfe, 0};
    assertThatThrownBy(
            () -> new Manifests(true).read(List.of(new ManifestSource("x", bytes)), "default"))
        .hasMessage("x:1:1: is not UTF-8 text");
  }

  @Test
  void namesAtMostAHundredErrors() {
    StringBuilder text = new StringBuilder(MINIMAL);
    for (int i = 0; i < 150; i++) {
      text.append("    bad" + i + "zzzzzzzz: 1\n");
    }
    assertThatThrownBy(() -> read(text.toString())).hasMessageEndingWith("and 50 more");
  }
}
