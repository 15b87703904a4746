package dev.peapod.engine.cgroup;

import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.CgroupLimits;
import java.util.Optional;

/// Says cgroups and limits in the words of launch plans and of the kernel.
public final class CgroupEntries {
  private CgroupEntries() {}

  /// How a process enters a cgroup, how all in it are killed, and where its OOM kills are counted.
  public static CgroupEntry of(Cgroup cgroup) {
    return new CgroupEntry(
        cgroup.intoDirectory(),
        cgroup.enterFiles(),
        kill(cgroup),
        cgroup.oomCounter().map(CgroupEntries::oom));
  }

  private static Operation.KillCgroup kill(Cgroup cgroup) {
    Optional<String> file = cgroup.killFile();
    if (file.isPresent()) {
      return new Operation.KillCgroup(Operation.KillKind.KILL_FILE, file.get());
    }
    return cgroup
        .freezerDirectory()
        .map(directory -> new Operation.KillCgroup(Operation.KillKind.FREEZER, directory))
        .orElseThrow(
            () ->
                new PeapodException(
                    Kind.FAILED_PRECONDITION,
                    "this machine has neither cgroup2 nor the freezer controller, so containers can"
                        + " not be killed whole"));
  }

  private static Operation.OomCounter oom(dev.peapod.linux.cgroup.OomCounter counter) {
    return new Operation.OomCounter(
        switch (counter.kind()) {
          case OOM_CONTROL -> Operation.OomKind.OOM_CONTROL;
          case MEMORY_EVENTS -> Operation.OomKind.MEMORY_EVENTS;
        },
        counter.path());
  }

  /// A container's limits; what is 0 or empty is not set.
  public static CgroupLimits limits(ResourceSpec spec) {
    CgroupLimits.Builder limits = CgroupLimits.builder();
    if (spec.memoryLimit() != 0) {
      limits.memoryBytes(spec.memoryLimit());
    }
    if (spec.memorySwapLimit() != 0) {
      limits.memorySwapBytes(spec.memorySwapLimit() < 0 ? -1 : spec.memorySwapLimit());
    }
    if (spec.cpuShares() != 0) {
      limits.cpuShares(spec.cpuShares());
    }
    if (spec.cpuQuota() != 0) {
      limits.cpuQuota(spec.cpuQuota() < 0 ? -1 : spec.cpuQuota());
    }
    if (spec.cpuPeriod() != 0) {
      limits.cpuPeriod(spec.cpuPeriod());
    }
    if (!spec.cpusetCpus().isEmpty()) {
      limits.cpusetCpus(spec.cpusetCpus());
    }
    if (!spec.cpusetMems().isEmpty()) {
      limits.cpusetMems(spec.cpusetMems());
    }
    return limits.build();
  }
}
