package dev.peapod.linux.cgroup;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Limits, each set or left as it is, in the terms of the CRI (which are those of version 1).
///
/// @param memoryBytes memory, -1 for no limit
/// @param memorySwapBytes memory and swap together, -1 for no limit
/// @param cpuShares weight against neighbours, 2 to 262144, usually 1024
/// @param cpuQuota microseconds of processor time in each period, -1 for no limit
/// @param cpuPeriod microseconds, 1000 to 1000000, usually 100000
/// @param cpusetCpus processors, such as `0-2,7`
/// @param cpusetMems memory nodes, such as `0`
/// @param pids processes and threads, -1 for no limit
/// @param hugepages bytes of huge pages by their size, such as `2MB`
/// @param unified values of version 2's own files by name, such as `memory.high`; written last
public record CgroupLimits(
    OptionalLong memoryBytes,
    OptionalLong memorySwapBytes,
    OptionalLong cpuShares,
    OptionalLong cpuQuota,
    OptionalLong cpuPeriod,
    Optional<String> cpusetCpus,
    Optional<String> cpusetMems,
    OptionalLong pids,
    Map<String, Long> hugepages,
    Map<String, String> unified) {
  public CgroupLimits {
    hugepages = Map.copyOf(hugepages);
    unified = Map.copyOf(unified);
  }

  /// No limit given.
  public static final CgroupLimits NONE = builder().build();

  /// A builder that starts with nothing given.
  public static Builder builder() {
    return new Builder();
  }

  /// Collects limits; those not named stay as they are.
  public static final class Builder {
    private OptionalLong memoryBytes = OptionalLong.empty();
    private OptionalLong memorySwapBytes = OptionalLong.empty();
    private OptionalLong cpuShares = OptionalLong.empty();
    private OptionalLong cpuQuota = OptionalLong.empty();
    private OptionalLong cpuPeriod = OptionalLong.empty();
    private Optional<String> cpusetCpus = Optional.empty();
    private Optional<String> cpusetMems = Optional.empty();
    private OptionalLong pids = OptionalLong.empty();
    private Map<String, Long> hugepages = Map.of();
    private Map<String, String> unified = Map.of();

    private Builder() {}

    public Builder memoryBytes(long value) {
      memoryBytes = OptionalLong.of(value);
      return this;
    }

    public Builder memorySwapBytes(long value) {
      memorySwapBytes = OptionalLong.of(value);
      return this;
    }

    public Builder cpuShares(long value) {
      cpuShares = OptionalLong.of(value);
      return this;
    }

    public Builder cpuQuota(long value) {
      cpuQuota = OptionalLong.of(value);
      return this;
    }

    public Builder cpuPeriod(long value) {
      cpuPeriod = OptionalLong.of(value);
      return this;
    }

    public Builder cpusetCpus(String value) {
      cpusetCpus = Optional.of(value);
      return this;
    }

    public Builder cpusetMems(String value) {
      cpusetMems = Optional.of(value);
      return this;
    }

    public Builder pids(long value) {
      pids = OptionalLong.of(value);
      return this;
    }

    public Builder hugepages(Map<String, Long> values) {
      hugepages = values;
      return this;
    }

    public Builder unified(Map<String, String> values) {
      unified = values;
      return this;
    }

    public CgroupLimits build() {
      return new CgroupLimits(
          memoryBytes,
          memorySwapBytes,
          cpuShares,
          cpuQuota,
          cpuPeriod,
          cpusetCpus,
          cpusetMems,
          pids,
          hugepages,
          unified);
    }
  }
}
