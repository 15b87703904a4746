package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.node.HostFacts;
import dev.peapod.pods.status.Description;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a pod has as a whole, and what its containers have of it.
class PodLevelResourcesTest {
  private static final long MI = 1 << 20;

  /// @param resources of the pod as a whole, in braces
  /// @param containers what stands behind `initContainers` and `containers`
  private static Pod pod(String resources, String inits, String containers) {
    String text =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec:
          resources: %s
          initContainers: %s
          containers: %s
        """
            .formatted(resources, inits, containers);
    ManifestSource source =
        new ManifestSource("a.yaml", text.getBytes(StandardCharsets.UTF_8));
    return ((PodManifest) new Manifests(true).read(List.of(source), "default").getFirst()).pod();
  }

  private static String container(String name, String resources) {
    return "{name: " + name + ", image: b, resources: " + resources + "}";
  }

  @Test
  void limitsOfThePodHoldItsContainersToo() {
    Pod pod =
        pod(
            "{limits: {cpu: 2, memory: 200Mi}}",
            "[]",
            "[" + container("a", "{limits: {memory: 50Mi}}") + "," + container("b", "{}") + "]");
    assertThat(pod.getSpec().getResources().getRequests())
        .hasToString("{memory=" + 50 * MI + ", cpu=2}");
    LinuxContainerResources whole = Resources.ofPod(pod);
    assertThat(whole.getCpuQuota()).isEqualTo(200_000);
    assertThat(whole.getCpuShares()).isEqualTo(2048);
    assertThat(whole.getMemoryLimitInBytes()).isEqualTo(200 * MI);
    LinuxContainerResources a = Resources.of(pod, pod.getSpec().getContainers().getFirst());
    assertThat(a.getMemoryLimitInBytes()).isEqualTo(50 * MI);
    assertThat(a.getCpuQuota()).isEqualTo(200_000);
    assertThat(a.getCpuShares()).isEqualTo(2048);
    LinuxContainerResources b = Resources.of(pod, pod.getSpec().getContainers().getLast());
    assertThat(b.getMemoryLimitInBytes()).isEqualTo(200 * MI);
    assertThat(Resources.qosClass(pod)).isEqualTo("Burstable");
    ResourceFieldSelector memory = new ResourceFieldSelector("b", null, "limits.memory");
    assertThat(new PodFields(pod, List.of(), "here").resource(memory, null))
        .isEqualTo(Long.toString(200 * MI));
    assertThat(Description.of(pod, "", List.of(), Instant.EPOCH))
        .containsPattern("Resources:\n +Limits: +cpu 2, memory 200Mi\n +Requests: +cpu 2, memory");
  }

  @Test
  void theClassIsThePods() {
    String guaranteed = "[" + container("a", "{limits: {cpu: 1, memory: 50Mi}}") + "]";
    assertThat(Resources.qosClass(pod("{}", "[]", guaranteed))).isEqualTo("Guaranteed");
    assertThat(Resources.qosClass(pod("{requests: {cpu: 1}}", "[]", guaranteed)))
        .isEqualTo("Burstable");
    assertThat(
            Resources.qosClass(
                pod("{limits: {cpu: 1, memory: 1Gi}}", "[]", "[" + container("a", "{}") + "]")))
        .isEqualTo("Guaranteed");
  }

  @Test
  void requestsAloneHaveTheLimitsOfTheContainers() {
    Pod pod =
        pod(
            "{requests: {cpu: 2}}",
            "[]",
            "["
                + container("a", "{limits: {cpu: 1500m, memory: 50Mi}}")
                + ","
                + container("b", "{limits: {cpu: 750m}, requests: {cpu: 1m}}")
                + "]");
    assertThat(pod.getSpec().getResources().getLimits()).hasToString("{cpu=2250m}");
  }

  @Test
  void whatNoContainerHasAskedForIsSharedWhenMemoryIsShort() {
    long half = HostFacts.memory() / 2;
    Pod pod =
        pod(
            "{requests: {memory: " + half + "}}",
            "[]",
            "[" + container("a", "{}") + "," + container("b", "{}") + "]");
    assertThat(Resources.of(pod, pod.getSpec().getContainers().getFirst()).getOomScoreAdj())
        .isBetween(749L, 751L);
  }

  @Test
  void sidecarsCountBesideTheContainers() {
    Pod pod =
        pod(
            "{}",
            "["
                + container("setup", "{limits: {cpu: 1, memory: 120Mi}}")
                + ", {name: side, image: b, restartPolicy: Always, resources: {limits: {cpu: 1,"
                + " memory: 100Mi}}}]",
            "[" + container("a", "{limits: {cpu: 1, memory: 100Mi}}") + "]");
    assertThat(Resources.ofPod(pod).getMemoryLimitInBytes()).isEqualTo(200 * MI);
    assertThat(Resources.ofPod(pod).getCpuShares()).isEqualTo(2048);
  }

  @Test
  void aContainerThatAsksForNothingTakesNoOthersWeight() {
    Pod pod =
        pod(
            "{}",
            "[]",
            "[" + container("a", "{requests: {cpu: 500m}}") + "," + container("b", "{}") + "]");
    assertThat(Resources.ofPod(pod).getCpuShares()).isEqualTo(512);
    assertThat(Resources.ofPod(pod).getMemoryLimitInBytes()).isZero();
  }
}
