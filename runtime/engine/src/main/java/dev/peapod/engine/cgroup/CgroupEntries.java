package dev.peapod.engine.cgroup;

import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.Operation.OomKind;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.CgroupLimits;
import dev.peapod.linux.cgroup.KernelCounter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Says cgroups and limits in the words of launch plans and of the kernel.
public final class CgroupEntries {
  private CgroupEntries() {}

  /// How a process enters a cgroup, and how all in it are killed.
  public static CgroupEntry of(Cgroup cgroup) {
    return new CgroupEntry(cgroup.intoDirectory(), cgroup.enterFiles(), kill(cgroup));
  }

  /// Where a container's OOM kills are counted, and which limit they come from.
  public static List<Operation.OomCounter> counters(Cgroup container, Cgroup pod) {
    List<Operation.OomCounter> counters = new ArrayList<>();
    container.oomCounter().ifPresent(c -> counters.add(counter(OomKind.KILLS, c)));
    container.limitCounters().forEach(c -> counters.add(counter(OomKind.LIMIT_HITS, c)));
    pod.limitCounters().forEach(c -> counters.add(counter(OomKind.POD_LIMIT_HITS, c)));
    return counters;
  }

  private static Operation.OomCounter counter(OomKind kind, KernelCounter counter) {
    return new Operation.OomCounter(kind, counter.path(), counter.key());
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

  /// Sets limits.
  ///
  /// @param whose for the message, such as `container "web"`
  /// @throws PeapodException INVALID if the kernel refuses one, FAILED_PRECONDITION if more is in use
  public static void apply(String whose, Cgroup cgroup, CgroupLimits limits) {
    try {
      cgroup.apply(limits);
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), whose + ": resources: " + e.getMessage(), e);
    }
  }

  /// What of the limits `update` changes in a cgroup that has `before`.
  public static CgroupLimits limits(ResourceSpec before, ResourceSpec update) {
    ResourceSpec after = before.updatedBy(update);
    boolean memory = update.memoryLimit() != 0 || update.memorySwapLimit() != 0;
    // Memory and swap hang together.
    return limits(
        new ResourceSpec(
            update.cpuPeriod(),
            update.cpuQuota(),
            update.cpuShares(),
            memory ? after.memoryLimit() : 0,
            memory ? after.memorySwapLimit() : 0,
            update.oomScoreAdj(),
            update.cpusetCpus(),
            update.cpusetMems(),
            update.hugepages(),
            update.unified()));
  }

  /// The limits of a container or pod; what is 0 or empty is not set.
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
    limits.hugepages(spec.hugepages());
    limits.unified(spec.unified());
    return limits.build();
  }
}
