package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerEventResponse;
import dev.peapod.proto.runtime.v1.ContainerStats;
import dev.peapod.proto.runtime.v1.ContainerStatsFilter;
import dev.peapod.proto.runtime.v1.ContainerStatsRequest;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.GetEventsRequest;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.ListContainerStatsRequest;
import dev.peapod.proto.runtime.v1.ListMetricDescriptorsRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxMetricsRequest;
import dev.peapod.proto.runtime.v1.Metric;
import dev.peapod.proto.runtime.v1.MetricDescriptor;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxMetrics;
import dev.peapod.proto.runtime.v1.PodSandboxStats;
import dev.peapod.proto.runtime.v1.PodSandboxStatsRequest;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PodSandboxStatusResponse;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StreamContainersRequest;
import dev.peapod.proto.runtime.v1.StreamContainersResponse;
import io.grpc.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What a kubelet watches: figures, metrics, events, lists as streams.
@SuppressWarnings("NullAway.Init")
final class StatsIT extends KubeletTest {
  private ContainerStats stats(String container) {
    return peapod
        .cri()
        .containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build())
        .getStats();
  }

  @Test
  void tellsWhatAContainerUses() {
    PodSandboxConfig.Builder config = cri.sandbox("figures");
    CriPods.Started pod =
        cri.start(
            config,
            withMemory(
                cri.script("busy", "dd if=/dev/zero of=/file bs=64k count=4; while :; do :; done"),
                64 << 20));
    await().until(() -> stats(pod.container()).getWritableLayer().getUsedBytes().getValue() > 262144);
    ContainerStats first = stats(pod.container());
    await()
        .until(
            () ->
                stats(pod.container()).getCpu().getUsageNanoCores().getValue() > 1_000_000
                    && stats(pod.container()).getCpu().getUsageCoreNanoSeconds().getValue()
                        > first.getCpu().getUsageCoreNanoSeconds().getValue());
    assertThat(first.getAttributes().getMetadata().getName()).isEqualTo("busy");
    long used = first.getMemory().getWorkingSetBytes().getValue();
    assertThat(used).isPositive();
    assertThat(first.getMemory().getAvailableBytes().getValue()).isBetween(1L << 20, 64L << 20);

    PodSandboxStats podStats =
        peapod
            .cri()
            .podSandboxStats(
                PodSandboxStatsRequest.newBuilder().setPodSandboxId(pod.sandbox()).build())
            .getStats();
    assertThat(podStats.getLinux().getContainersList()).hasSize(1);
    assertThat(podStats.getLinux().getProcess().getProcessCount().getValue())
        .isGreaterThanOrEqualTo(2);
    assertThat(podStats.getLinux().getNetwork().getDefaultInterface().getName()).isEqualTo("eth0");

    ListContainerStatsRequest other =
        ListContainerStatsRequest.newBuilder()
            .setFilter(ContainerStatsFilter.newBuilder().putLabelSelector("no", "such"))
            .build();
    assertThat(peapod.cri().listContainerStats(other).getStatsList()).isEmpty();
    peapod
        .cri()
        .stopContainer(StopContainerRequest.newBuilder().setContainerId(pod.container()).build());
    assertThat(stats(pod.container()).hasCpu()).isFalse();
    assertThat(
            peapod
                .cri()
                .listContainerStats(ListContainerStatsRequest.getDefaultInstance())
                .getStatsList())
        .isEmpty();
    cri.remove(pod.sandbox());
    assertThatThrownBy(() -> stats(pod.container())).hasMessageContaining("NOT_FOUND");
  }

  private static dev.peapod.proto.runtime.v1.ContainerConfig.Builder withMemory(
      dev.peapod.proto.runtime.v1.ContainerConfig.Builder container, long bytes) {
    container
        .getLinuxBuilder()
        .setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(bytes));
    return container;
  }

  @Test
  void tellsOfAPodAllThatThereIsToLookAt() throws IOException {
    CriPods.Started pod = cri.start(cri.sandbox("verbose"), cri.script("main", "exec sleep 1000"));
    PodSandboxStatusResponse sandbox =
        peapod
            .cri()
            .podSandboxStatus(
                PodSandboxStatusRequest.newBuilder()
                    .setPodSandboxId(pod.sandbox())
                    .setVerbose(true)
                    .build());
    assertThat(sandbox.getContainersStatusesList())
        .extracting(ContainerStatus::getId)
        .containsExactly(pod.container());
    assertThat(sandbox.getTimestamp()).isGreaterThan(sandbox.getStatus().getCreatedAt());
    String container =
        peapod
            .cri()
            .containerStatus(
                ContainerStatusRequest.newBuilder()
                    .setContainerId(pod.container())
                    .setVerbose(true)
                    .build())
            .getInfoOrThrow("info");
    Path process = Path.of("/proc", field(container, "pid"));
    assertThat(Files.readString(process.resolve("cmdline"))).isEqualTo("sleep\0001000\0");
    // They share the network and nothing of the mounts.
    String info = sandbox.getInfoOrThrow("info");
    assertThat(field(container, "net"))
        .isEqualTo(field(info, "net"))
        .isEqualTo(Files.readSymbolicLink(process.resolve("ns/net")).toString());
    assertThat(field(container, "mnt")).isNotEqualTo(field(info, "mnt"));
    assertThat(field(container, "cgroup")).endsWith("/" + pod.container());
    assertThat(container).contains("\"path\":\"/etc/hosts\"", "\"type\":\"overlay\"");
    assertThat(container)
        .contains("{\"op\":\"EXEC\",\"stage\":\"process\",\"argv\":[\"sh\",\"-c\",\"exec sleep 1000\"]")
        .contains("{\"op\":\"PIVOT\",\"stage\":\"pod\"}");
    assertThat(info)
        .contains("{\"op\":\"EXEC_PAUSE\",\"stage\":\"process\"}")
        .contains("\"op\":\"HOSTNAME\"");
    cri.remove(pod.sandbox());
  }

  /// A number or text in JSON, the first of that name.
  private static String field(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]+)").matcher(json);
    assertThat(found.find()).as(name + " in " + json).isTrue();
    return found.group(1);
  }

  @Test
  void describesTheMetricsThatItTells() {
    PodSandboxConfig.Builder config = cri.sandbox("metrics");
    CriPods.Started pod = cri.start(config, cri.script("main", "exec sleep 1000"));
    Map<String, Integer> labels =
        peapod
            .cri()
            .listMetricDescriptors(ListMetricDescriptorsRequest.getDefaultInstance())
            .getDescriptorsList()
            .stream()
            .collect(
                Collectors.toMap(MetricDescriptor::getName, MetricDescriptor::getLabelKeysCount));
    List<PodSandboxMetrics> all =
        peapod
            .cri()
            .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
            .getPodMetricsList();
    assertThat(all).hasSize(1);
    List<Metric> metrics = new ArrayList<>(all.getFirst().getMetricsList());
    metrics.addAll(all.getFirst().getContainerMetrics(0).getMetricsList());
    assertThat(metrics)
        .allSatisfy(
            metric ->
                assertThat(labels).containsEntry(metric.getName(), metric.getLabelValuesCount()));
    assertThat(metrics).extracting(Metric::getName).containsAll(labels.keySet());
    assertThat(metrics)
        .filteredOn(metric -> metric.getName().equals("container_threads"))
        .singleElement()
        .satisfies(metric -> assertThat(metric.getValue().getValue()).isEqualTo(1));
    cri.remove(pod.sandbox());
  }

  @Test
  void tellsWhatHappensOnceAndInOrder() throws Exception {
    List<String> told = java.util.Collections.synchronizedList(new ArrayList<>());
    try (Context.CancellableContext listening = Context.current().withCancellation()) {
      Iterator<ContainerEventResponse> events =
          listening.call(
              () -> peapod.cri().getContainerEvents(GetEventsRequest.getDefaultInstance()));
      Thread listener =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      events.forEachRemaining(
                          event ->
                              told.add(event.getContainerId() + " " + event.getContainerEventType()));
                    } catch (io.grpc.StatusRuntimeException e) {
                      // cancelled at the end
                    }
                  });
      // The stream is there once the first event comes.
      PodSandboxConfig.Builder early = cri.sandbox("early");
      await()
          .until(
              () -> {
                String id = cri.run(early);
                cri.remove(id);
                return !told.isEmpty();
              });
      await().until(() -> told.getLast().endsWith("DELETED_EVENT"));
      told.clear();
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        PodSandboxConfig.Builder config = cri.sandbox("events-" + i);
        CriPods.Started pod = cri.start(config, cri.script("main", "exit 3"));
        cri.awaitExit(pod.container());
        cri.remove(pod.sandbox());
        for (String what :
            List.of(
                "S CREATED", "S STARTED", "C CREATED", "C STARTED", "C STOPPED", "S STOPPED",
                "C DELETED", "S DELETED")) {
          String id = what.charAt(0) == 'S' ? pod.sandbox() : pod.container();
          expected.add(id + " CONTAINER_" + what.substring(2) + "_EVENT");
        }
      }
      await().until(() -> told.size() >= expected.size());
      assertThat(told).containsExactlyElementsOf(expected);
      listening.cancel(null);
      listener.join();
    }
  }

  @Test
  void listsAsAStream() {
    PodSandboxConfig.Builder config = cri.sandbox("streamed");
    String sandbox = cri.run(config);
    List<String> made = new ArrayList<>();
    // Each with so long an annotation that not all fit into one message.
    for (int i = 0; i < 6; i++) {
      made.add(
          cri.create(
              sandbox,
              config,
              cri.script("c" + i, "true").putAnnotations("text", "x".repeat(300_000))));
    }
    List<StreamContainersResponse> messages = new ArrayList<>();
    peapod
        .cri()
        .streamContainers(StreamContainersRequest.getDefaultInstance())
        .forEachRemaining(messages::add);
    assertThat(messages).hasSizeGreaterThan(1);
    assertThat(messages.stream().flatMap(m -> m.getContainersList().stream()))
        .extracting(Container::getId)
        .containsExactlyInAnyOrderElementsOf(made);
    cri.remove(sandbox);
  }
}
