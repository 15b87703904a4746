package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.Pidfd;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// One path in all version-1 hierarchies, and in the unified one where there is one.
record CgroupV1(CgroupsV1 cgroups, String path, List<String> created) implements Cgroup {
  private static final int SIGKILL = 9;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  @Override
  public void apply(CgroupLimits limits) {
    if (limits.memoryBytes().isPresent() || limits.memorySwapBytes().isPresent()) {
      applyMemory(limits);
    }
    limits.cpuShares().ifPresent(v -> set("cpu", "cpu.shares", v));
    if (limits.cpuPeriod().isPresent() || limits.cpuQuota().isPresent()) {
      // Period and quota are checked together, against the cgroup above: what is refused in one
      // order may be fine in the other.
      inEitherOrder(
          () -> limits.cpuPeriod().ifPresent(v -> set("cpu", "cpu.cfs_period_us", v)),
          () -> limits.cpuQuota().ifPresent(v -> set("cpu", "cpu.cfs_quota_us", v)));
    }
    limits.cpusetCpus().ifPresent(v -> set("cpuset", "cpuset.cpus", v));
    limits.cpusetMems().ifPresent(v -> set("cpuset", "cpuset.mems", v));
    limits.pids().ifPresent(v -> set("pids", "pids.max", v < 0 ? "max" : Long.toString(v)));
  }

  /// Memory is never above memory with swap: lowered in one order, raised in the other.
  private void applyMemory(CgroupLimits limits) {
    inEitherOrder(
        () -> limits.memoryBytes().ifPresent(v -> set("memory", "memory.limit_in_bytes", v)),
        () ->
            limits
                .memorySwapBytes()
                .ifPresent(v -> set("memory", "memory.memsw.limit_in_bytes", v)));
  }

  private static void inEitherOrder(Runnable first, Runnable second) {
    try {
      first.run();
    } catch (PeapodException | KernelException e) {
      second.run();
      first.run();
      return;
    }
    second.run();
  }

  private void set(String controller, String file, long value) {
    set(controller, file, Long.toString(value));
  }

  private void set(String controller, String file, String value) {
    Optional<String> mountPoint = cgroups.mountPoint(controller);
    if (mountPoint.isEmpty()) {
      throw PeapodException.invalid(
          file + " = " + value + " was asked for, but this machine has no cgroup controller \""
              + controller + "\"");
    }
    try {
      KernelFiles.write(mountPoint.get() + path + "/" + file, value);
    } catch (KernelException e) {
      switch (e.errno()) {
        case Errno.EINVAL, Errno.ERANGE, Errno.EACCES ->
            throw new PeapodException(
                PeapodException.Kind.INVALID,
                "the kernel refuses " + file + " = " + value + ": " + Errno.describe(e.errno()),
                e);
        case Errno.ENOENT -> {
          if (cgroups.exists(controller, path)) {
            throw PeapodException.invalid(
                file + " = " + value + " was asked for, but this kernel has no " + file);
          }
          throw e;
        }
        default -> throw e;
      }
    }
  }

  @Override
  public void restrictDevices(List<String> rules) {
    Optional<String> mountPoint = cgroups.mountPoint("devices");
    if (mountPoint.isPresent()) {
      String directory = mountPoint.get() + path;
      KernelFiles.write(directory + "/devices.deny", "a");
      for (String rule : rules) {
        KernelFiles.write(directory + "/devices.allow", rule);
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
  public Optional<OomCounter> oomCounter() {
    return cgroups
        .mountPoint("memory")
        .map(h -> new OomCounter(OomCounter.Kind.OOM_CONTROL, h + path + "/memory.oom_control"));
  }

  @Override
  public long oomKills() {
    Optional<OomCounter> counter = oomCounter();
    return counter.isEmpty() ? 0 : number(KernelFiles.read(counter.get().path()), "oom_kill");
  }

  @Override
  public void kill() {
    Optional<String> kill = killFile();
    if (kill.isPresent()) {
      try {
        KernelFiles.write(kill.get(), "1");
      } catch (KernelException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
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
    collect(hierarchy + path, pids);
    return List.copyOf(pids);
  }

  private static void collect(String directory, Set<Integer> pids) {
    try {
      KernelFiles.read(directory + "/cgroup.procs", 1 << 26)
          .lines()
          .map(Integer::valueOf)
          .filter(pid -> pid != 0)
          .forEach(pids::add);
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
        throw e;
      }
      return;
    }
    for (String below : KernelFiles.directories(directory)) {
      collect(directory + "/" + below, pids);
    }
  }

  @Override
  public boolean remove() {
    long end = System.nanoTime() + PATIENCE.toNanos();
    long pause = 100_000;
    List<String> left = new ArrayList<>();
    cgroups.all().forEach(h -> left.add(h + path));
    while (true) {
      left.removeIf(CgroupV1::removeTree);
      if (left.isEmpty()) {
        return true;
      }
      if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(pause * 2, 20_000_000);
    }
  }

  private static boolean removeTree(String directory) {
    if (KernelFiles.removeDirectory(directory)) {
      return true;
    }
    List<String> below = KernelFiles.directories(directory);
    boolean gone = true;
    for (String name : below) {
      gone &= removeTree(directory + "/" + name);
    }
    return gone && !below.isEmpty() && KernelFiles.removeDirectory(directory);
  }

  @Override
  public CgroupStats stats() {
    Optional<String> memory = cgroups.mountPoint("memory").map(h -> h + path + "/memory.");
    OptionalLong used = value(memory.map(m -> m + "usage_in_bytes"));
    OptionalLong withSwap = value(memory.map(m -> m + "memsw.usage_in_bytes"));
    Optional<String> detail = memory.map(m -> KernelFiles.read(m + "stat"));
    OptionalLong inactive = detail(detail, "total_inactive_file");
    return new CgroupStats(
        value(cgroups.mountPoint("cpuacct").map(h -> h + path + "/cpuacct.usage")),
        used,
        used.isPresent() && inactive.isPresent()
            ? OptionalLong.of(Math.max(0, used.getAsLong() - inactive.getAsLong()))
            : used,
        detail(detail, "total_rss"),
        used.isPresent() && withSwap.isPresent()
            ? OptionalLong.of(Math.max(0, withSwap.getAsLong() - used.getAsLong()))
            : OptionalLong.empty(),
        detail(detail, "total_pgfault"),
        detail(detail, "total_pgmajfault"),
        value(cgroups.mountPoint("pids").map(h -> h + path + "/pids.current")));
  }

  private static OptionalLong value(Optional<String> file) {
    if (file.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(KernelFiles.read(file.get())));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private static OptionalLong detail(Optional<String> stat, String key) {
    return stat.isEmpty() ? OptionalLong.empty() : OptionalLong.of(number(stat.get(), key));
  }

  /// The number in the line `key N`, 0 if there is none.
  private static long number(String text, String key) {
    String start = key + " ";
    int at = text.startsWith(start) ? 0 : text.indexOf("\n" + start) + 1;
    if (at == 0 && !text.startsWith(start)) {
      return 0;
    }
    int end = text.indexOf('\n', at);
    String value = text.substring(at + start.length(), end < 0 ? text.length() : end);
    return Long.parseLong(value.strip());
  }
}
