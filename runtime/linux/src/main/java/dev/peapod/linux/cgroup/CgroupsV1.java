package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.MountInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Version 1: a hierarchy for each controller, or for several that are mounted together. On a
/// hybrid machine a cgroup is made in the unified hierarchy (cgroup2 without controllers) too, for
/// killing and for being born inside.
public final class CgroupsV1 implements Cgroups {
  /// The controllers in whose hierarchies cgroups are made.
  private static final Set<String> USED =
      Set.of(
          "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "hugetlb", "pids");

  /// Those that programs look up their own limits in.
  private static final List<String> VIEWED = List.of("cpu", "cpuacct", "cpuset", "memory", "pids");

  private static final String SWAP_LIMIT = "/memory.memsw.failcnt";
  private static final String SYSTEMD = "name=systemd";

  /// Mount points of the version-1 hierarchies, without repetition, in the order of the mounts.
  private final List<String> hierarchies;

  /// Mount points by controller.
  private final Map<String, String> controllers;

  private final Optional<String> unified;
  private final Optional<String> pressured;
  private final List<String> limitFiles;
  private final List<Cgroup.Mounted> viewed;

  private CgroupsV1(Map<String, String> controllers, Optional<String> unified) {
    this.hierarchies = List.copyOf(new LinkedHashSet<>(controllers.values()));
    Map<String, String> named = new LinkedHashMap<>(controllers);
    named.remove(SYSTEMD);
    this.controllers = Collections.unmodifiableMap(named);
    this.unified = unified;
    this.pressured = unified.filter(h -> Pressure.counted());
    this.limitFiles =
        mountPoint("memory").stream()
            .flatMap(
                h ->
                    Stream.of("/memory.failcnt", SWAP_LIMIT)
                        .filter(f -> KernelFiles.exists(h + f)))
            .toList();
    this.viewed =
        VIEWED.stream()
            .flatMap(c -> mountPoint(c).stream().map(h -> new Cgroup.Mounted(c, h)))
            .toList();
  }

  /// Finds the hierarchies in a mount table.
  ///
  /// @param systemd whether systemd runs as process 1, and so wants its named hierarchy used
  /// @throws PeapodException FAILED_PRECONDITION if there is no hierarchy
  public static CgroupsV1 of(List<MountInfo> mounts, boolean systemd) {
    Map<String, String> controllers = new LinkedHashMap<>();
    Optional<String> unified = Optional.empty();
    for (MountInfo mount : mounts) {
      String at = mount.mountPoint().toString();
      if (mount.type().equals("cgroup")) {
        for (String option : mount.superOptions()) {
          if (USED.contains(option) || systemd && option.equals(SYSTEMD)) {
            controllers.putIfAbsent(option, at);
          }
        }
      } else if (mount.type().equals("cgroup2") && unified.isEmpty()) {
        unified = Optional.of(at);
      }
    }
    if (controllers.isEmpty()) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION, "no cgroup controller is mounted");
    }
    return new CgroupsV1(controllers, unified);
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public Set<String> controllers() {
    return controllers.keySet();
  }

  @Override
  public Cgroup open(String path) {
    return new CgroupV1(this, CgroupFiles.checked(path), List.of());
  }

  @Override
  public Cgroup create(String path) {
    CgroupFiles.checked(path);
    List<String> made = new ArrayList<>();
    Set<String> levels = new LinkedHashSet<>();
    try {
      for (String hierarchy : all()) {
        make(hierarchy, path, made, levels);
      }
    } catch (RuntimeException e) {
      CgroupFiles.undo(made, e);
      throw e;
    }
    return new CgroupV1(this, path, CgroupFiles.highestFirst(levels));
  }

  /// Makes a path in one hierarchy, level by level from the first that exists.
  private void make(String hierarchy, String path, List<String> made, Set<String> levels) {
    String directory = hierarchy + path;
    boolean isNew;
    try {
      isNew = KernelFiles.makeDirectory(directory);
    } catch (KernelException e) {
      int slash = path.lastIndexOf('/');
      if (e.errno() != Errno.ENOENT || slash == 0) {
        throw e;
      }
      make(hierarchy, path.substring(0, slash), made, levels);
      isNew = KernelFiles.makeDirectory(directory);
    }
    if (isNew) {
      made.add(directory);
      levels.add(path);
    }
    if (hierarchy.equals(controllers.get("cpuset"))) {
      fillCpuset(hierarchy, path);
    }
  }

  /// Gives a cpuset that has no processors and nodes yet those of the one above, without which
  /// nobody can enter it, and has the kernel do the same for all that are made below.
  private static void fillCpuset(String hierarchy, String path) {
    String directory = hierarchy + path;
    if (!KernelFiles.read(directory + "/cpuset.cpus").isEmpty()) {
      return;
    }
    int slash = path.lastIndexOf('/');
    String above = path.substring(0, slash);
    if (slash > 0) {
      fillCpuset(hierarchy, above);
    }
    KernelFiles.write(directory + "/cgroup.clone_children", "1");
    // The processors last: once they are there, all is done.
    for (String file : List.of("/cpuset.mems", "/cpuset.cpus")) {
      KernelFiles.write(directory + file, KernelFiles.read(hierarchy + above + file));
    }
  }

  /// All mount points, the unified one last.
  List<String> all() {
    if (unified.isEmpty()) {
      return hierarchies;
    }
    List<String> all = new ArrayList<>(hierarchies);
    all.add(unified.get());
    return all;
  }

  List<String> hierarchies() {
    return hierarchies;
  }

  Optional<String> unified() {
    return unified;
  }

  /// Where a controller is mounted.
  Optional<String> mountPoint(String controller) {
    return Optional.ofNullable(controllers.get(controller));
  }

  /// The unified hierarchy, where the kernel counts pressure.
  Optional<String> pressured() {
    return pressured;
  }

  /// Whether the kernel counts swap by cgroups.
  boolean countsSwap() {
    return limitFiles.contains(SWAP_LIMIT);
  }

  /// The files, below a cgroup of the memory controller, that count how often its limits were hit.
  List<String> limitFiles() {
    return limitFiles;
  }

  /// The hierarchies that containers see their own part of.
  List<Cgroup.Mounted> viewed() {
    return viewed;
  }
}
