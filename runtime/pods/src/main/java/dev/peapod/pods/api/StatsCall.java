package dev.peapod.pods.api;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.ContainerUsage;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodStatsResponse;
import dev.peapod.proto.peapod.v1.PodUsage;
import dev.peapod.proto.peapod.v1.Usage;
import dev.peapod.proto.runtime.v1.ContainerStats;
import dev.peapod.proto.runtime.v1.CpuUsage;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxStats;
import dev.peapod.proto.runtime.v1.MemoryUsage;
import dev.peapod.proto.runtime.v1.NetworkInterfaceUsage;
import dev.peapod.proto.runtime.v1.PodSandboxStats;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The `Stats` rpc.
final class StatsCall {
  private final PodBoard board;
  private final Cri cri;

  StatsCall(PodBoard board, Cri cri) {
    this.board = board;
    this.cri = cri;
  }

  PodStatsResponse serve(PodSelector selector) {
    if (!selector.getName().isEmpty() && !selector.getNamespace().isEmpty()) {
      Targets.pod(board, selector.getNamespace(), selector.getName());
    }
    Predicate<Pod> wanted = PodReads.filter(selector);
    Map<String, PodSandboxStats> byUid = new HashMap<>();
    for (PodSandboxStats stats : cri.stats(Map.of())) {
      byUid.put(stats.getAttributes().getMetadata().getUid(), stats);
    }
    PodStatsResponse.Builder response = PodStatsResponse.newBuilder();
    for (PodBoard.Entry entry : board.list().entries()) {
      PodSandboxStats stats = byUid.get(entry.pod().getMetadata().getUid());
      if (stats != null && wanted.test(entry.pod())) {
        response.addPods(usage(entry.pod(), stats.getLinux()));
      }
    }
    return response.build();
  }

  private static PodUsage usage(Pod pod, LinuxPodSandboxStats stats) {
    PodKey key = PodKey.of(pod);
    PodUsage.Builder usage =
        PodUsage.newBuilder().setNamespace(key.namespace()).setName(key.name());
    Usage.Builder whole = usage(stats.getCpu(), stats.getMemory());
    if (stats.getProcess().hasProcessCount()) {
      whole.setProcesses(stats.getProcess().getProcessCount().getValue());
    }
    if (stats.hasNetwork()) {
      long received = 0;
      long sent = 0;
      for (NetworkInterfaceUsage each :
          Stream.concat(
                  Stream.of(stats.getNetwork().getDefaultInterface()),
                  stats.getNetwork().getInterfacesList().stream())
              .filter(i -> !i.getName().equals("lo"))
              .toList()) {
        received += each.getRxBytes().getValue();
        sent += each.getTxBytes().getValue();
      }
      whole.setReceivedBytes(received).setSentBytes(sent);
    }
    usage.setUsage(whole);
    Map<String, ContainerStats> byName = new HashMap<>();
    stats
        .getContainersList()
        .forEach(c -> byName.put(c.getAttributes().getMetadata().getName(), c));
    EphemeralContainers.all(pod)
        .map(Container::getName)
        .filter(byName::containsKey)
        .forEach(
            name -> {
              ContainerStats found = byName.get(name);
              if (found != null) {
                usage.addContainers(
                    ContainerUsage.newBuilder()
                        .setName(name)
                        .setUsage(usage(found.getCpu(), found.getMemory())));
              }
            });
    return usage.build();
  }

  private static Usage.Builder usage(CpuUsage cpu, MemoryUsage memory) {
    Usage.Builder usage = Usage.newBuilder();
    if (cpu.hasUsageCoreNanoSeconds()) {
      usage.setCpuNs(cpu.getUsageCoreNanoSeconds().getValue()).setCpuReadNs(cpu.getTimestamp());
    }
    if (memory.hasWorkingSetBytes()) {
      usage.setMemoryBytes(memory.getWorkingSetBytes().getValue());
    }
    return usage;
  }
}
