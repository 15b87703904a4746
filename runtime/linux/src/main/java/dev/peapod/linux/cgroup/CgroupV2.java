package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelFiles;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;

/// One directory of the unified hierarchy.
///
/// @param directory where it is mounted
record CgroupV2(CgroupsV2 cgroups, String directory, String path, List<String> created)
    implements Cgroup {
  private static final long LEAST_SHARES = 2;
  private static final long MOST_SHARES = 262_144;

  @Override
  public void apply(CgroupLimits limits) {
    LimitWriter writer =
        new LimitWriter(
            controller ->
                cgroups.controllers().contains(controller)
                    ? Optional.of(directory)
                    : Optional.empty());
    writer.run(() -> apply(limits, writer));
  }

  private void apply(CgroupLimits limits, LimitWriter writer) {
    limits.memoryBytes().ifPresent(v -> writer.setOrMax("memory.max", v));
    limits.memorySwapBytes().ifPresent(v -> swap(v, limits.memoryBytes(), writer));
    limits.cpuShares().ifPresent(v -> writer.set("cpu.weight", weight(v)));
    if (limits.cpuQuota().isPresent() || limits.cpuPeriod().isPresent()) {
      writer.set("cpu.max", bandwidth(limits));
    }
    limits.cpusetCpus().ifPresent(v -> writer.set("cpuset.cpus", v));
    limits.cpusetMems().ifPresent(v -> writer.set("cpuset.mems", v));
    limits.pids().ifPresent(v -> writer.setOrMax("pids.max", v));
    writer.hugepages(limits.hugepages(), "max");
    for (Map.Entry<String, String> value : limits.unified().entrySet()) {
      // One line of some files is one device.
      value.getValue().lines().forEach(line -> writer.set(value.getKey(), line));
    }
  }

  /// Version 1 limits memory and swap together, version 2 swap alone.
  private void swap(long together, OptionalLong memory, LimitWriter writer) {
    String value = "max";
    if (together >= 0) {
      String limit =
          memory.isPresent()
              ? memory.getAsLong() < 0 ? "max" : Long.toString(memory.getAsLong())
              : KernelFiles.read(directory + "/memory.max");
      if (limit.equals("max")) {
        throw PeapodException.invalid(
            "a limit of memory and swap together (" + together + ") needs a limit of memory");
      }
      value = Long.toString(together - Long.parseLong(limit));
    }
    // A kernel without swap has no such file, and what it says holds.
    if (KernelFiles.exists(directory + "/memory.swap.max") || !value.equals("max") && !value.equals("0")) {
      writer.set("memory.swap.max", value);
    }
  }

  /// The weight, 1 to 10000, of version-1 shares: both ends and both defaults (1024, 100) match.
  static long weight(long shares) {
    if (shares <= LEAST_SHARES) {
      return 1;
    }
    if (shares >= MOST_SHARES) {
      return 10_000;
    }
    double log = Math.log(shares) / Math.log(2);
    // Less a rounding error, which ceil would turn into a whole unit.
    return (long) Math.ceil(Math.pow(10, (log * log + 125 * log) / 612 - 7.0 / 34) - 1e-9);
  }

  /// `quota period`; what is not given stays.
  private String bandwidth(CgroupLimits limits) {
    String[] now = KernelFiles.read(directory + "/cpu.max").split(" ");
    String quota =
        limits.cpuQuota().isEmpty()
            ? now[0]
            : limits.cpuQuota().getAsLong() < 0 ? "max" : "" + limits.cpuQuota().getAsLong();
    String period = limits.cpuPeriod().isEmpty() ? now[1] : "" + limits.cpuPeriod().getAsLong();
    return quota + " " + period;
  }

  @Override
  public void restrictDevices(List<String> rules) {
    DeviceProgram.attach(directory, rules);
  }

  @Override
  public List<String> enterFiles() {
    return List.of();
  }

  @Override
  public Optional<String> intoDirectory() {
    return Optional.of(directory);
  }

  @Override
  public Optional<String> killFile() {
    return Optional.of(directory + "/cgroup.kill");
  }

  @Override
  public Optional<String> freezerDirectory() {
    return Optional.empty();
  }

  @Override
  public Optional<KernelCounter> oomCounter() {
    return ofMemory("memory.events", "oom_kill");
  }

  @Override
  public List<KernelCounter> limitCounters() {
    return ofMemory("memory.events.local", "oom").stream().toList();
  }

  private Optional<KernelCounter> ofMemory(String file, String key) {
    return cgroups.controllers().contains("memory")
        ? Optional.of(new KernelCounter(directory + "/" + file, key))
        : Optional.empty();
  }

  @Override
  public List<Mounted> view() {
    return List.of(new Mounted("", directory));
  }

  @Override
  public Cgroup subgroup(String name) {
    String below = directory + "/" + name;
    KernelFiles.makeDirectory(below);
    return new CgroupV2(cgroups, below, path + "/" + name, List.of(path + "/" + name));
  }

  @Override
  public void kill() {
    CgroupFiles.kill(directory + "/cgroup.kill");
  }

  @Override
  public List<Integer> processes() {
    Set<Integer> pids = new HashSet<>();
    CgroupFiles.collect(directory, pids);
    return List.copyOf(pids);
  }

  @Override
  public boolean remove() {
    return CgroupFiles.remove(List.of(directory));
  }

  @Override
  public CgroupStats stats(UnaryOperator<String> read) {
    Optional<String> memory =
        cgroups.controllers().contains("memory")
            ? Optional.of(read.apply(directory + "/memory.stat"))
            : Optional.empty();
    OptionalLong used = value("memory", "memory.current", read);
    OptionalLong micros =
        CgroupFiles.detail(Optional.of(read.apply(directory + "/cpu.stat")), "usage_usec");
    return new CgroupStats(
        OptionalLong.of(micros.orElse(0) * 1000),
        used,
        CgroupFiles.less(used, CgroupFiles.detail(memory, "inactive_file")),
        CgroupFiles.detail(memory, "anon"),
        value("memory", "memory.swap.current", read),
        CgroupFiles.detail(memory, "pgfault"),
        CgroupFiles.detail(memory, "pgmajfault"),
        pressure("cpu", read),
        pressure("memory", read),
        pressure("io", read));
  }

  @Override
  public OptionalLong threads(UnaryOperator<String> read) {
    return value("pids", "pids.current", read);
  }

  private Optional<Pressure> pressure(String of, UnaryOperator<String> read) {
    return cgroups.countsPressure()
        ? Pressure.read(directory + "/" + of + ".pressure", read)
        : Optional.empty();
  }

  private OptionalLong value(
      String controller, String file, UnaryOperator<String> read) {
    return cgroups.controllers().contains(controller)
        ? CgroupFiles.value(Optional.of(directory + "/" + file), read)
        : OptionalLong.empty();
  }
}
