package dev.peapod.engine.model;

/// What a container may use. As in the CRI, 0 and `""` mean: not set.
///
/// @param cpuPeriod microseconds
/// @param cpuQuota microseconds in each period; negative: no limit
/// @param cpuShares relative weight, 2 to 262,144
/// @param memoryLimit bytes
/// @param memorySwapLimit bytes of memory and swap together; negative: no limit
/// @param oomScoreAdj -1000 to 1000
public record ResourceSpec(
    long cpuPeriod,
    long cpuQuota,
    long cpuShares,
    long memoryLimit,
    long memorySwapLimit,
    int oomScoreAdj,
    String cpusetCpus,
    String cpusetMems) {
  /// No limits.
  public static final ResourceSpec NONE = new ResourceSpec(0, 0, 0, 0, 0, 0, "", "");
}
