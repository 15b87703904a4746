package dev.peapod.cri;

import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;

/// A container's limits between the CRI's words and the engine's.
final class ResourceMapping {
  private static final String FIELD = "config.linux.resources";

  private ResourceMapping() {}

  /// @throws PeapodException INVALID or UNIMPLEMENTED naming the field
  static ResourceSpec spec(LinuxContainerResources resources) {
    Refusals.unsupported(resources.getUnifiedCount() > 0, FIELD + ".unified");
    Refusals.unsupported(
        resources.getHugepageLimitsList().stream().anyMatch(limit -> limit.getLimit() != 0),
        FIELD + ".hugepage_limits");
    long oomScoreAdj = resources.getOomScoreAdj();
    if (oomScoreAdj < -1000 || oomScoreAdj > 1000) {
      throw PeapodException.invalid(
          FIELD + ".oom_score_adj is " + oomScoreAdj + ", not between -1000 and 1000");
    }
    return new ResourceSpec(
        resources.getCpuPeriod(),
        resources.getCpuQuota(),
        resources.getCpuShares(),
        resources.getMemoryLimitInBytes(),
        resources.getMemorySwapLimitInBytes(),
        (int) oomScoreAdj,
        resources.getCpusetCpus(),
        resources.getCpusetMems());
  }

  static LinuxContainerResources resources(ResourceSpec spec) {
    return LinuxContainerResources.newBuilder()
        .setCpuPeriod(spec.cpuPeriod())
        .setCpuQuota(spec.cpuQuota())
        .setCpuShares(spec.cpuShares())
        .setMemoryLimitInBytes(spec.memoryLimit())
        .setMemorySwapLimitInBytes(spec.memorySwapLimit())
        .setOomScoreAdj(spec.oomScoreAdj())
        .setCpusetCpus(spec.cpusetCpus())
        .setCpusetMems(spec.cpusetMems())
        .build();
  }
}
