package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Version 2: one hierarchy. Its controllers are handed down level by level to each cgroup that is made, and stay handed
/// down when it goes.
public final class CgroupsV2 implements Cgroups {
  private static final Set<String> USED =
      Set.of("cpu", "cpuset", "io", "memory", "hugetlb", "pids");

  private final String root;
  private final Set<String> controllers;
  private final boolean pressure = Pressure.counted();

  /// @param root where cgroup2 is mounted
  public CgroupsV2(String root) {
    this.root = root;
    Set<String> found = new LinkedHashSet<>(words(root + "/cgroup.controllers"));
    found.retainAll(USED);
    this.controllers = Set.copyOf(found);
  }

  @Override
  public int version() {
    return 2;
  }

  @Override
  public Set<String> controllers() {
    return controllers;
  }

  @Override
  public Cgroup open(String path) {
    return new CgroupV2(this, root + CgroupFiles.checked(path), path, List.of());
  }

  @Override
  public Cgroup create(String path) {
    CgroupFiles.checked(path);
    List<String> made = new ArrayList<>();
    try {
      make(path, made);
      if (!words(root + path + "/cgroup.controllers").containsAll(controllers)) {
        handDown(path);
      }
    } catch (RuntimeException e) {
      CgroupFiles.undo(made, e);
      throw e;
    }
    List<String> levels = made.stream().map(d -> d.substring(root.length())).toList();
    return new CgroupV2(this, root + path, path, CgroupFiles.highestFirst(levels));
  }

  /// Makes a directory, and first those above it that are missing.
  private void make(String path, List<String> made) {
    boolean isNew;
    try {
      isNew = KernelFiles.makeDirectory(root + path);
    } catch (KernelException e) {
      int slash = path.lastIndexOf('/');
      if (e.errno() != Errno.ENOENT || slash == 0) {
        throw e;
      }
      make(path.substring(0, slash), made);
      isNew = KernelFiles.makeDirectory(root + path);
    }
    if (isNew) {
      made.add(root + path);
    }
  }

  /// Enables the controllers for the children of every cgroup above `path`, from the root down.
  private void handDown(String path) {
    for (int end = 0; end >= 0 && end < path.lastIndexOf('/') + 1; end = path.indexOf('/', end + 1)) {
      String directory = root + path.substring(0, end);
      String file = directory + "/cgroup.subtree_control";
      Set<String> missing = new LinkedHashSet<>(controllers);
      missing.retainAll(words(directory + "/cgroup.controllers"));
      missing.removeAll(words(file));
      if (missing.isEmpty()) {
        continue;
      }
      try {
        KernelFiles.write(file, "+" + String.join(" +", missing));
      } catch (KernelException e) {
        if (e.errno() != Errno.EBUSY && e.errno() != Errno.EOPNOTSUPP) {
          throw e;
        }
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "cgroup " + path.substring(0, end) + " has processes of its own, so nothing below it can have limits",
            e);
      }
    }
  }

  /// Whether the kernel counts pressure.
  boolean countsPressure() {
    return pressure;
  }

  private static Set<String> words(String file) {
    return Set.of(KernelFiles.read(file).split("\\s+"));
  }
}
