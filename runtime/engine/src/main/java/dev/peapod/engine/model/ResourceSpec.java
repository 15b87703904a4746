package dev.peapod.engine.model;

import java.util.HashMap;
import java.util.Map;

/// What a container or a pod may use. As in the CRI, 0 and `""` mean: not set.
///
/// @param cpuPeriod microseconds
/// @param cpuQuota microseconds in each period; negative: no limit
/// @param cpuShares relative weight, 2 to 262,144
/// @param memoryLimit bytes
/// @param memorySwapLimit bytes of memory and swap together; negative: no limit
/// @param oomScoreAdj -1000 to 1000
/// @param hugepages bytes of huge pages by their size, such as `2MB`; 0: none
/// @param unified values of cgroup version 2's own files by name
public record ResourceSpec(
    long cpuPeriod,
    long cpuQuota,
    long cpuShares,
    long memoryLimit,
    long memorySwapLimit,
    int oomScoreAdj,
    String cpusetCpus,
    String cpusetMems,
    Map<String, Long> hugepages,
    Map<String, String> unified) {
  /// No limits.
  public static final ResourceSpec NONE =
      new ResourceSpec(0, 0, 0, 0, 0, 0, "", "", Map.of(), Map.of());

  public ResourceSpec {
    hugepages = Map.copyOf(hugepages);
    unified = Map.copyOf(unified);
  }

  /// This with what the other one has set.
  public ResourceSpec updatedBy(ResourceSpec other) {
    return new ResourceSpec(
        set(other.cpuPeriod, cpuPeriod),
        set(other.cpuQuota, cpuQuota),
        set(other.cpuShares, cpuShares),
        set(other.memoryLimit, memoryLimit),
        set(other.memorySwapLimit, memorySwapLimit),
        (int) set(other.oomScoreAdj, oomScoreAdj),
        other.cpusetCpus.isEmpty() ? cpusetCpus : other.cpusetCpus,
        other.cpusetMems.isEmpty() ? cpusetMems : other.cpusetMems,
        both(hugepages, other.hugepages),
        both(unified, other.unified));
  }

  private static long set(long value, long before) {
    return value == 0 ? before : value;
  }

  private static <V> Map<String, V> both(Map<String, V> first, Map<String, V> second) {
    Map<String, V> both = new HashMap<>(first);
    both.putAll(second);
    return both;
  }
}
