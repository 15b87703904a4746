package dev.peapod.cri;

import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.HugepageLimit;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import java.util.HashMap;
import java.util.Map;

/// A container's limits between the CRI's words and the engine's.
final class ResourceMapping {
  /// The kernel's own period, microseconds.
  private static final long PERIOD = 100_000;

  private ResourceMapping() {}

  /// @throws PeapodException INVALID naming the field
  static ResourceSpec spec(LinuxContainerResources resources) {
    long oomScoreAdj = resources.getOomScoreAdj();
    if (oomScoreAdj != (int) oomScoreAdj) {
      throw PeapodException.invalid(
          "resources.oom_score_adj is " + oomScoreAdj + ", not between -1000 and 1000");
    }
    Map<String, Long> hugepages = new HashMap<>();
    for (HugepageLimit limit : resources.getHugepageLimitsList()) {
      if (hugepages.put(limit.getPageSize(), limit.getLimit()) != null) {
        throw PeapodException.invalid(
            "resources.hugepage_limits has \"" + limit.getPageSize() + "\" twice");
      }
    }
    return new ResourceSpec(
        resources.getCpuPeriod(),
        resources.getCpuQuota(),
        resources.getCpuShares(),
        resources.getMemoryLimitInBytes(),
        resources.getMemorySwapLimitInBytes(),
        (int) oomScoreAdj,
        resources.getCpusetCpus(),
        resources.getCpusetMems(),
        hugepages,
        resources.getUnifiedMap());
  }

  /// What a pod may use: its containers and its overhead together. What overhead can not add to (sets, scores) is the
  /// containers' alone.
  ///
  /// @throws PeapodException INVALID naming the field
  static ResourceSpec sum(LinuxContainerResources containers, LinuxContainerResources overhead) {
    LinuxContainerResources.Builder sum = containers.toBuilder();
    if (containers.getCpuShares() > 0) {
      sum.setCpuShares(containers.getCpuShares() + Math.max(0, overhead.getCpuShares()));
    }
    if (containers.getMemoryLimitInBytes() > 0) {
      sum.setMemoryLimitInBytes(
          containers.getMemoryLimitInBytes() + Math.max(0, overhead.getMemoryLimitInBytes()));
    }
    if (containers.getCpuQuota() > 0 && overhead.getCpuQuota() > 0) {
      long period = containers.getCpuPeriod() == 0 ? PERIOD : containers.getCpuPeriod();
      long its = overhead.getCpuPeriod() == 0 ? PERIOD : overhead.getCpuPeriod();
      sum.setCpuQuota(
          containers.getCpuQuota() + (long) ((double) overhead.getCpuQuota() / its * period));
    }
    return spec(sum.build());
  }

  static LinuxContainerResources resources(ResourceSpec spec) {
    LinuxContainerResources.Builder resources =
        LinuxContainerResources.newBuilder()
            .setCpuPeriod(spec.cpuPeriod())
            .setCpuQuota(spec.cpuQuota())
            .setCpuShares(spec.cpuShares())
            .setMemoryLimitInBytes(spec.memoryLimit())
            .setMemorySwapLimitInBytes(spec.memorySwapLimit())
            .setOomScoreAdj(spec.oomScoreAdj())
            .setCpusetCpus(spec.cpusetCpus())
            .setCpusetMems(spec.cpusetMems())
            .putAllUnified(spec.unified());
    spec.hugepages()
        .forEach(
            (size, bytes) ->
                resources.addHugepageLimits(
                    HugepageLimit.newBuilder().setPageSize(size).setLimit(bytes)));
    return resources.build();
  }
}
