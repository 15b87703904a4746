package dev.peapod.pods.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.manifest.PodManifest;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PodTextTest {
  private static final List<String> TRICKY =
      List.of(
          "",
          "yes",
          "No",
          "on",
          "y",
          "n",
          "true",
          "null",
          "~",
          "0644",
          "0x1F",
          "0b1",
          "0o7",
          "1_000",
          "1e3",
          ".5",
          "-1",
          "1:30",
          ".inf",
          "2026-01-01",
          "a: b",
          "- a",
          "#x",
          "a #b",
          "'",
          "\"",
          "*a",
          "&a",
          "!a",
          "%a",
          "@a",
          "`a",
          "{a}",
          "[a]",
          "a\nb",
          "a\n",
          " a",
          "a ",
          "\t",
          "|",
          ">",
          "?",
          ":",
          "=",
          "<<",
          "é",
          "\u0007",
          "x".repeat(200) + " " + "y".repeat(200));

  private static Pod pod(String text) {
    List<ManifestSource> sources =
        List.of(new ManifestSource("t", text.getBytes(StandardCharsets.UTF_8)));
    return ((PodManifest) new Manifests(true).read(sources, "default").getFirst()).pod();
  }

  @Test
  void writesWhatIsReadAsTheSame() {
    Pod pod =
        pod(
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image:"
                + " b}]}}");
    pod.getSpec()
        .getContainers()
        .getFirst()
        .setEnv(TRICKY.stream().map(value -> new EnvVar("A", value, null)).toList());
    assertThat(pod(PodText.yaml(pod))).isEqualTo(pod);
    assertThat(pod(PodText.json(pod))).isEqualTo(pod);
  }

  @Test
  void laysJsonOutAsKubectlDoes() {
    assertThat(PodText.json(new TreeMap<>(Map.of("a", 1, "b", List.of(), "c", List.of("x"), "d", Map.of()))))
        .isEqualTo(
            """
            {
                "a": 1,
                "b": [],
                "c": [
                    "x"
                ],
                "d": {}
            }
            """);
  }
}
