package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.LibC;
import dev.peapod.linux.Open;
import dev.peapod.linux.Pidfd;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/// One path in all version-1 hierarchies, and in the unified one where there is one.
record CgroupV1(CgroupsV1 cgroups, String path, List<String> created) implements Cgroup {
  private static final int SIGKILL = 9;

  @Override
  public void apply(CgroupLimits limits) {
    if (!limits.unified().isEmpty()) {
      throw PeapodException.invalid(
          "unified: " + String.join(", ", limits.unified().keySet())
              + " was asked for, but this machine has cgroup version 1");
    }
    LimitWriter writer =
        new LimitWriter(controller -> cgroups.mountPoint(controller).map(h -> h + path));
    writer.run(() -> apply(limits, writer));
  }

  private static void apply(CgroupLimits limits, LimitWriter writer) {
    // Memory is never above memory with swap: lowered in one order, raised in the other.
    writer.inEitherOrder(
        () -> limits.memoryBytes().ifPresent(v -> writer.set("memory.limit_in_bytes", v)),
        () -> limits.memorySwapBytes().ifPresent(v -> writer.set("memory.memsw.limit_in_bytes", v)));
    limits.cpuShares().ifPresent(v -> writer.set("cpu.shares", v));
    // Period and quota are checked together, against the cgroup above: what is refused in one order
    // may be fine in the other.
    writer.inEitherOrder(
        () -> limits.cpuPeriod().ifPresent(v -> writer.set("cpu.cfs_period_us", v)),
        () -> limits.cpuQuota().ifPresent(v -> writer.set("cpu.cfs_quota_us", v)));
    limits.cpusetCpus().ifPresent(v -> writer.set("cpuset.cpus", v));
    limits.cpusetMems().ifPresent(v -> writer.set("cpuset.mems", v));
    limits.pids().ifPresent(v -> writer.setOrMax("pids.max", v));
    writer.hugepages(limits.hugepages(), "limit_in_bytes");
  }

  @Override
  public void restrictDevices(List<String> rules) {
    Optional<String> mountPoint = cgroups.mountPoint("devices");
    if (mountPoint.isPresent()) {
      String directory = mountPoint.get() + path;
      KernelFiles.write(directory + "/devices.deny", "a");
      String file = directory + "/devices.allow";
      try (Fd allow = Fd.open(file, Open.WRONLY)) {
        for (String rule : rules) {
          byte[] bytes = rule.getBytes(StandardCharsets.US_ASCII);
          if (LibC.write(allow.number(), bytes, bytes.length) < 0) {
            throw new KernelException("write(\"" + file + "\", \"" + rule + "\")", LibC.errno());
          }
        }
      }
    }
  }

  @Override
  public List<String> enterFiles() {
    return cgroups.hierarchies().stream().map(h -> h + path + "/tasks").toList();
  }

  @Override
  public Optional<String> intoDirectory() {
    return cgroups.unified().map(h -> h + path);
  }

  @Override
  public Optional<String> killFile() {
    return cgroups.unified().map(h -> h + path + "/cgroup.kill");
  }

  @Override
  public Optional<String> freezerDirectory() {
    return cgroups.mountPoint("freezer").map(h -> h + path);
  }

  @Override
  public Optional<KernelCounter> oomCounter() {
    return cgroups
        .mountPoint("memory")
        .map(h -> new KernelCounter(h + path + "/memory.oom_control", "oom_kill"));
  }

  @Override
  public List<KernelCounter> limitCounters() {
    return cgroups.limitFiles().stream()
        .map(file -> new KernelCounter(cgroups.mountPoint("memory").orElseThrow() + path + file, ""))
        .toList();
  }

  @Override
  public List<Mounted> view() {
    return cgroups.viewed().stream()
        .map(v -> new Mounted(v.name(), v.directory() + path))
        .toList();
  }

  @Override
  public Cgroup subgroup(String name) {
    Optional<String> unified = cgroups.unified();
    if (unified.isEmpty()) {
      return cgroups.create(path + "/" + name);
    }
    KernelFiles.makeDirectory(unified.get() + path + "/" + name);
    return new Subgroup(this, unified.get(), name);
  }

  @Override
  public void kill() {
    Optional<String> kill = killFile();
    if (kill.isPresent()) {
      CgroupFiles.kill(kill.get());
      return;
    }
    Optional<String> state = freezerDirectory().map(d -> d + "/freezer.state");
    try {
      if (state.isPresent()) {
        freeze(state.get());
      }
      killEach(state.isPresent());
    } finally {
      if (state.isPresent()) {
        writeIfThere(state.get(), "THAWED");
      }
    }
  }

  /// Stops all, so that nobody forks while the others are killed; gives up after a while, since a
  /// process that waits in the kernel can not be stopped (and does not fork).
  private static void freeze(String state) {
    long end = System.nanoTime() + Duration.ofMillis(200).toNanos();
    if (!writeIfThere(state, "FROZEN")) {
      return;
    }
    while (!KernelFiles.read(state).equals("FROZEN") && System.nanoTime() < end) {
      LockSupport.parkNanos(100_000);
      writeIfThere(state, "FROZEN");
    }
  }

  private static boolean writeIfThere(String file, String value) {
    try {
      KernelFiles.write(file, value);
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
        return false;
      }
      throw e;
    }
  }

  /// Kills what is listed; without a freezer again and again until nobody new is there.
  private void killEach(boolean frozen) {
    Set<Integer> killed = new HashSet<>();
    boolean more = true;
    for (int pass = 0; more && pass < 100; pass++) {
      more = false;
      for (int pid : processes()) {
        Optional<Pidfd> opened = Pidfd.open(pid);
        if (opened.isPresent()) {
          try (Pidfd process = opened.get()) {
            process.signal(SIGKILL);
          }
        }
        more |= killed.add(pid) && !frozen;
      }
    }
  }

  @Override
  public List<Integer> processes() {
    Set<Integer> pids = new HashSet<>();
    String hierarchy =
        cgroups.mountPoint("freezer").orElseGet(() -> cgroups.hierarchies().getFirst());
    CgroupFiles.collect(hierarchy + path, pids);
    return List.copyOf(pids);
  }

  @Override
  public boolean remove() {
    return CgroupFiles.remove(cgroups.all().stream().map(h -> h + path).toList());
  }

  @Override
  public CgroupStats stats(UnaryOperator<String> read) {
    Optional<String> memory = cgroups.mountPoint("memory").map(h -> h + path + "/memory.");
    OptionalLong used = CgroupFiles.value(memory.map(m -> m + "usage_in_bytes"), read);
    Optional<String> detail = memory.map(m -> read.apply(m + "stat"));
    return new CgroupStats(
        CgroupFiles.value(cgroups.mountPoint("cpuacct").map(h -> h + path + "/cpuacct.usage"), read),
        used,
        CgroupFiles.less(used, CgroupFiles.detail(detail, "total_inactive_file")),
        CgroupFiles.detail(detail, "total_rss"),
        cgroups.countsSwap() ? CgroupFiles.detail(detail, "total_swap") : OptionalLong.empty(),
        CgroupFiles.detail(detail, "total_pgfault"),
        CgroupFiles.detail(detail, "total_pgmajfault"),
        pressure("cpu", read),
        pressure("memory", read),
        pressure("io", read));
  }

  @Override
  public OptionalLong threads(UnaryOperator<String> read) {
    return CgroupFiles.value(cgroups.mountPoint("pids").map(h -> h + path + "/pids.current"), read);
  }

  private Optional<Pressure> pressure(String of, UnaryOperator<String> read) {
    return cgroups.pressured().flatMap(h -> Pressure.read(h + path + "/" + of + ".pressure", read));
  }
}
