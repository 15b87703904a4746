package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.NetworkCounters;
import dev.peapod.linux.cgroup.CgroupStats;
import dev.peapod.linux.cgroup.Pressure;
import dev.peapod.proto.runtime.v1.ContainerAttributes;
import dev.peapod.proto.runtime.v1.ContainerStats;
import dev.peapod.proto.runtime.v1.ContainerStatsFilter;
import dev.peapod.proto.runtime.v1.ContainerStatsRequest;
import dev.peapod.proto.runtime.v1.ContainerStatsResponse;
import dev.peapod.proto.runtime.v1.CpuUsage;
import dev.peapod.proto.runtime.v1.FilesystemUsage;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxStats;
import dev.peapod.proto.runtime.v1.IoUsage;
import dev.peapod.proto.runtime.v1.MemoryUsage;
import dev.peapod.proto.runtime.v1.NetworkInterfaceUsage;
import dev.peapod.proto.runtime.v1.NetworkUsage;
import dev.peapod.proto.runtime.v1.PodSandboxAttributes;
import dev.peapod.proto.runtime.v1.PodSandboxStats;
import dev.peapod.proto.runtime.v1.PodSandboxStatsFilter;
import dev.peapod.proto.runtime.v1.PodSandboxStatsRequest;
import dev.peapod.proto.runtime.v1.PodSandboxStatsResponse;
import dev.peapod.proto.runtime.v1.ProcessUsage;
import dev.peapod.proto.runtime.v1.PsiData;
import dev.peapod.proto.runtime.v1.PsiStats;
import dev.peapod.proto.runtime.v1.SwapUsage;
import dev.peapod.proto.runtime.v1.UInt64Value;
import java.time.Clock;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/// The CRI's calls for what containers and pods use. A figure that the kernel does not have is left out.
final class StatsCalls {
  private static final String DEFAULT_INTERFACE = "eth0";

  private final PodRuntime runtime;
  private final WrittenLayers written;
  private final Clock clock;
  private final Kept<ContainerStatus, ContainerAttributes> attributes =
      new Kept<>(ContainerStatus::id, StatsCalls::attributes);
  private final CpuRates rates = new CpuRates();

  StatsCalls(PodRuntime runtime, Snapshots snapshots, Clock clock) {
    this.runtime = runtime;
    this.written = new WrittenLayers(snapshots, clock);
    this.clock = clock;
  }

  ContainerStatsResponse container(ContainerStatsRequest request) {
    Refusals.required(!request.getContainerId().isEmpty(), "container_id");
    ContainerStatus container = runtime.container(request.getContainerId());
    forgetGone();
    return ContainerStatsResponse.newBuilder()
        .setStats(stats(container, written.now(container.id())))
        .build();
  }

  /// Those of the containers that run.
  ///
  /// @param made what is made of each
  <T> List<T> containers(ContainerStatsFilter filter, Function<ContainerStats, T> made) {
    return forgetGone().parallelStream()
        .filter(container -> container.state() == ContainerState.RUNNING)
        .filter(
            container ->
                container.id().startsWith(filter.getId())
                    && container.sandboxId().startsWith(filter.getPodSandboxId())
                    && Labels.match(container.spec().labels(), filter.getLabelSelectorMap()))
        .flatMap(container -> unlessGone(container, c -> stats(c, written.lately(c.id()))))
        .map(made)
        .toList();
  }

  /// All containers; what is kept of others is dropped.
  private List<ContainerStatus> forgetGone() {
    rates.forgetOld(System.nanoTime());
    List<ContainerStatus> all = runtime.containers();
    written.forgetOthers(all);
    attributes.forgetOthers(all);
    return all;
  }

  PodSandboxStatsResponse sandbox(PodSandboxStatsRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    forgetGone();
    return PodSandboxStatsResponse.newBuilder()
        .setStats(stats(runtime.sandbox(request.getPodSandboxId()), written::now))
        .build();
  }

  /// Those of the sandboxes that are READY.
  ///
  /// @param made what is made of each
  <T> List<T> sandboxes(PodSandboxStatsFilter filter, Function<PodSandboxStats, T> made) {
    forgetGone();
    return runtime.sandboxes().parallelStream()
        .filter(sandbox -> sandbox.state() == SandboxStatus.SandboxState.READY)
        .filter(
            sandbox ->
                sandbox.id().startsWith(filter.getId())
                    && Labels.match(sandbox.spec().labels(), filter.getLabelSelectorMap()))
        .flatMap(sandbox -> unlessGone(sandbox, s -> stats(s, written::lately)))
        .map(made)
        .toList();
  }

  /// A list leaves out what is removed while it is made.
  private static <T, S> Stream<S> unlessGone(T one, Function<T, S> stats) {
    try {
      return Stream.of(stats.apply(one));
    } catch (PeapodException e) {
      if (e.kind() == PeapodException.Kind.NOT_FOUND) {
        return Stream.empty();
      }
      throw e;
    }
  }

  /// The processes and threads of a container that runs.
  OptionalLong threads(String container) {
    return unlessGone(container, runtime::containerThreads)
        .findFirst()
        .orElse(OptionalLong.empty());
  }

  private static ContainerAttributes attributes(ContainerStatus container) {
    return ContainerAttributes.newBuilder()
        .setId(container.id())
        .setMetadata(ContainerMapping.metadata(container))
        .putAllLabels(container.spec().labels())
        .putAllAnnotations(container.spec().annotations())
        .build();
  }

  private ContainerStats stats(ContainerStatus container, FilesystemUsage layer) {
    ContainerStats.Builder stats =
        ContainerStats.newBuilder().setAttributes(attributes.of(container));
    long limit = container.spec().resources().memoryLimit();
    runtime
        .containerUsage(container.id())
        .ifPresent(
            used -> {
              stats.setCpu(cpu(container.id(), used));
              stats.setMemory(memory(used, limit));
              used.swapBytes().ifPresent(bytes -> stats.setSwap(swap(bytes)));
              used.ioPressure().ifPresent(waited -> stats.setIo(io(waited)));
            });
    return stats.setWritableLayer(layer).build();
  }

  /// @param layer measures what a container has written
  private PodSandboxStats stats(SandboxStatus sandbox, Function<String, FilesystemUsage> layer) {
    LinuxPodSandboxStats.Builder linux = LinuxPodSandboxStats.newBuilder();
    runtime
        .sandboxUsage(sandbox.id())
        .ifPresent(
            used -> {
              linux.setCpu(cpu(sandbox.id(), used));
              linux.setMemory(memory(used, 0));
              used.ioPressure().ifPresent(waited -> linux.setIo(io(waited)));
            });
    runtime
        .sandboxThreads(sandbox.id())
        .ifPresent(
            count ->
                linux.setProcess(
                    ProcessUsage.newBuilder()
                        .setTimestamp(now())
                        .setProcessCount(value(count))));
    List<NetworkCounters> interfaces = runtime.interfaces(sandbox.id());
    if (!interfaces.isEmpty()) {
      linux.setNetwork(network(interfaces));
    }
    runtime.containersOf(sandbox.id()).stream()
        .filter(container -> container.state() == ContainerState.RUNNING)
        .flatMap(container -> unlessGone(container, c -> stats(c, layer.apply(c.id()))))
        .forEach(linux::addContainers);
    return PodSandboxStats.newBuilder()
        .setAttributes(
            PodSandboxAttributes.newBuilder()
                .setId(sandbox.id())
                .setMetadata(SandboxMapping.metadata(sandbox.spec().metadata()))
                .putAllLabels(sandbox.spec().labels())
                .putAllAnnotations(sandbox.spec().annotations()))
        .setLinux(linux)
        .build();
  }

  private CpuUsage cpu(String id, CgroupStats used) {
    CpuUsage.Builder cpu = CpuUsage.newBuilder().setTimestamp(now());
    used.cpuPressure().ifPresent(waited -> cpu.setPsi(psi(waited)));
    used.cpuNanos()
        .ifPresent(
            total -> {
              cpu.setUsageCoreNanoSeconds(value(total));
              rates
                  .rate(id, System.nanoTime(), total)
                  .ifPresent(rate -> cpu.setUsageNanoCores(value(rate)));
            });
    return cpu.build();
  }

  /// @param limit bytes, 0 for none
  private MemoryUsage memory(CgroupStats used, long limit) {
    MemoryUsage.Builder memory = MemoryUsage.newBuilder().setTimestamp(now());
    used.memoryPressure().ifPresent(waited -> memory.setPsi(psi(waited)));
    set(used.memoryBytes(), memory::setUsageBytes);
    set(used.workingSetBytes(), memory::setWorkingSetBytes);
    set(used.rssBytes(), memory::setRssBytes);
    set(used.pageFaults(), memory::setPageFaults);
    set(used.majorPageFaults(), memory::setMajorPageFaults);
    if (limit > 0 && used.workingSetBytes().isPresent()) {
      memory.setAvailableBytes(value(Math.max(0, limit - used.workingSetBytes().getAsLong())));
    }
    return memory.build();
  }

  private SwapUsage swap(long bytes) {
    return SwapUsage.newBuilder().setTimestamp(now()).setSwapUsageBytes(value(bytes)).build();
  }

  private IoUsage io(Pressure waited) {
    return IoUsage.newBuilder().setTimestamp(now()).setPsi(psi(waited)).build();
  }

  private static PsiStats psi(Pressure waited) {
    return PsiStats.newBuilder()
        .setSome(psi(waited.some()))
        .setFull(psi(waited.full()))
        .build();
  }

  private static PsiData psi(Pressure.Share share) {
    return share.equals(Pressure.Share.NONE)
        ? PsiData.getDefaultInstance()
        : PsiData.newBuilder()
            .setTotal(share.totalMicros())
            .setAvg10(share.avg10())
            .setAvg60(share.avg60())
            .setAvg300(share.avg300())
        .build();
  }

  private NetworkUsage network(List<NetworkCounters> interfaces) {
    NetworkUsage.Builder network = NetworkUsage.newBuilder().setTimestamp(now());
    for (NetworkCounters counters : interfaces) {
      NetworkInterfaceUsage usage =
          NetworkInterfaceUsage.newBuilder()
              .setName(counters.name())
              .setRxBytes(value(counters.receivedBytes()))
              .setRxErrors(value(counters.receivedErrors()))
              .setTxBytes(value(counters.sentBytes()))
              .setTxErrors(value(counters.sentErrors()))
              .build();
      if (counters.name().equals(DEFAULT_INTERFACE)) {
        network.setDefaultInterface(usage);
      } else if (!counters.name().equals("lo")) {
        network.addInterfaces(usage);
      }
    }
    return network.build();
  }

  private static void set(OptionalLong number, Consumer<UInt64Value> field) {
    number.ifPresent(n -> field.accept(value(n)));
  }

  static UInt64Value value(long number) {
    return UInt64Value.newBuilder().setValue(number).build();
  }

  private long now() {
    return Nanos.now(clock);
  }
}
