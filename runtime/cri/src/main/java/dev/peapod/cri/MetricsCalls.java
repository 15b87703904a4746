package dev.peapod.cri;

import dev.peapod.proto.runtime.v1.ContainerMetrics;
import dev.peapod.proto.runtime.v1.ContainerStats;
import dev.peapod.proto.runtime.v1.Metric;
import dev.peapod.proto.runtime.v1.MetricDescriptor;
import dev.peapod.proto.runtime.v1.MetricType;
import dev.peapod.proto.runtime.v1.NetworkInterfaceUsage;
import dev.peapod.proto.runtime.v1.PodSandboxMetrics;
import dev.peapod.proto.runtime.v1.PodSandboxStats;
import dev.peapod.proto.runtime.v1.PodSandboxStatsFilter;
import dev.peapod.proto.runtime.v1.UInt64Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/// The CRI's metrics of pods and containers, under the names that cAdvisor made known.
final class MetricsCalls {
  private static final List<String> CONTAINER = List.of("container", "pod", "namespace", "id");
  private static final List<String> INTERFACE = List.of("pod", "namespace", "id", "interface");

  /// A figure of a container.
  private record Figure(
      String name, String help, MetricType type, ToLongFunction<ContainerStats> value) {}

  /// A figure of a pod's interface.
  private record Traffic(String name, String help, ToLongFunction<NetworkInterfaceUsage> value) {}

  private static final long SECOND = 1_000_000_000;

  private static final List<Figure> FIGURES =
      List.of(
          counter(
              "container_cpu_usage_seconds_total",
              "Processor time used, in seconds.",
              c -> c.getCpu().getUsageCoreNanoSeconds().getValue() / SECOND),
          gauge(
              "container_memory_usage_bytes",
              "Memory in use, page cache included, in bytes.",
              c -> c.getMemory().getUsageBytes().getValue()),
          gauge(
              "container_memory_working_set_bytes",
              "Memory in use less the page cache that can go at once, in bytes.",
              c -> c.getMemory().getWorkingSetBytes().getValue()),
          gauge(
              "container_memory_rss",
              "Anonymous memory, in bytes.",
              c -> c.getMemory().getRssBytes().getValue()),
          gauge(
              "container_memory_swap",
              "Swap in use, in bytes.",
              c -> c.getSwap().getSwapUsageBytes().getValue()),
          counter(
              "container_page_faults_total",
              "Page faults.",
              c -> c.getMemory().getPageFaults().getValue()),
          counter(
              "container_major_page_faults_total",
              "Page faults that had to read from disk.",
              c -> c.getMemory().getMajorPageFaults().getValue()),
          gauge(
              "container_fs_usage_bytes",
              "What the container has written to its own layer, in bytes.",
              c -> c.getWritableLayer().getUsedBytes().getValue()),
          gauge(
              "container_fs_inodes_used",
              "Files in the container's own layer.",
              c -> c.getWritableLayer().getInodesUsed().getValue()));

  private static final MetricDescriptor THREADS =
      descriptor("container_threads", "Processes and threads.", CONTAINER);

  private static final List<Traffic> TRAFFIC =
      List.of(
          new Traffic(
              "container_network_receive_bytes_total",
              "Received, in bytes.",
              i -> i.getRxBytes().getValue()),
          new Traffic(
              "container_network_receive_errors_total",
              "Errors in receiving.",
              i -> i.getRxErrors().getValue()),
          new Traffic(
              "container_network_transmit_bytes_total",
              "Sent, in bytes.",
              i -> i.getTxBytes().getValue()),
          new Traffic(
              "container_network_transmit_errors_total",
              "Errors in sending.",
              i -> i.getTxErrors().getValue()));

  private final StatsCalls stats;

  MetricsCalls(StatsCalls stats) {
    this.stats = stats;
  }

  private static Figure counter(String name, String help, ToLongFunction<ContainerStats> value) {
    return new Figure(name, help, MetricType.COUNTER, value);
  }

  private static Figure gauge(String name, String help, ToLongFunction<ContainerStats> value) {
    return new Figure(name, help, MetricType.GAUGE, value);
  }

  private static MetricDescriptor descriptor(String name, String help, List<String> labels) {
    return MetricDescriptor.newBuilder().setName(name).setHelp(help).addAllLabelKeys(labels).build();
  }

  static List<MetricDescriptor> descriptors() {
    List<MetricDescriptor> all = new ArrayList<>();
    FIGURES.forEach(f -> all.add(descriptor(f.name, f.help, CONTAINER)));
    all.add(THREADS);
    TRAFFIC.forEach(t -> all.add(descriptor(t.name, t.help, INTERFACE)));
    return all;
  }

  /// Those of the sandboxes that are READY.
  ///
  /// @param made what is made of each
  <T> List<T> metrics(Function<PodSandboxMetrics, T> made) {
    return stats.sandboxes(
        PodSandboxStatsFilter.getDefaultInstance(), pod -> made.apply(metrics(pod)));
  }

  private PodSandboxMetrics metrics(PodSandboxStats pod) {
    PodSandboxMetrics.Builder metrics =
        PodSandboxMetrics.newBuilder().setPodSandboxId(pod.getAttributes().getId());
    String name = pod.getAttributes().getMetadata().getName();
    String namespace = pod.getAttributes().getMetadata().getNamespace();
    String id = pod.getAttributes().getId();
    List<NetworkInterfaceUsage> interfaces = new ArrayList<>();
    if (pod.getLinux().getNetwork().hasDefaultInterface()) {
      interfaces.add(pod.getLinux().getNetwork().getDefaultInterface());
    }
    interfaces.addAll(pod.getLinux().getNetwork().getInterfacesList());
    long networkAt = pod.getLinux().getNetwork().getTimestamp();
    for (NetworkInterfaceUsage one : interfaces) {
      for (Traffic t : TRAFFIC) {
        List<String> labels = List.of(name, namespace, id, one.getName());
        metrics.addMetrics(
            metric(t.name, networkAt, MetricType.COUNTER, labels, t.value.applyAsLong(one)));
      }
    }
    for (ContainerStats container : pod.getLinux().getContainersList()) {
      metrics.addContainerMetrics(metrics(container, name, namespace));
    }
    return metrics.build();
  }

  private ContainerMetrics metrics(ContainerStats container, String pod, String namespace) {
    String id = container.getAttributes().getId();
    List<String> labels =
        List.of(container.getAttributes().getMetadata().getName(), pod, namespace, id);
    long at = container.getCpu().getTimestamp();
    ContainerMetrics.Builder metrics = ContainerMetrics.newBuilder().setContainerId(id);
    for (Figure f : FIGURES) {
      metrics.addMetrics(metric(f.name, at, f.type, labels, f.value.applyAsLong(container)));
    }
    stats
        .threads(id)
        .ifPresent(
            threads ->
                metrics.addMetrics(
                    metric(THREADS.getName(), at, MetricType.GAUGE, labels, threads)));
    return metrics.build();
  }

  private static Metric metric(
      String name, long at, MetricType type, List<String> labels, long value) {
    return Metric.newBuilder()
        .setName(name)
        .setTimestamp(at)
        .setMetricType(type)
        .addAllLabelValues(labels)
        .setValue(UInt64Value.newBuilder().setValue(value))
        .build();
  }
}
