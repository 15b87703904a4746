package dev.peapod.linux.cgroup;

import dev.peapod.linux.FsStat;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.Mounts;
import java.nio.file.Path;
import java.util.Set;

/// This machine's control groups, whatever their version. Thread-safe.
///
/// A cgroup's path is absolute from the root of the hierarchies, such as `/peapod/pod-1`; in
/// version 1 it is the same in each of them.
public sealed interface Cgroups permits CgroupsV1, CgroupsV2, SystemdCgroups {
  /// What this machine has: version 2 if `/sys/fs/cgroup` is a cgroup2 filesystem, else version 1
  /// by the mount table, controller by controller.
  static Cgroups detect() {
    if (FsStat.of(Path.of("/sys/fs/cgroup")).type() == FsStat.CGROUP2) {
      return new CgroupsV2("/sys/fs/cgroup");
    }
    boolean systemd = KernelFiles.read("/proc/1/comm").equals("systemd");
    return CgroupsV1.of(Mounts.self(), systemd);
  }

  /// How these are named.
  default CgroupDriver driver() {
    return CgroupDriver.CGROUPFS;
  }

  /// 1 or 2.
  int version();

  /// The controllers that can be used, such as `memory`.
  Set<String> controllers();

  /// Makes a cgroup with all that is missing above it; what exists is used. If it fails, what it
  /// made is gone again.
  ///
  /// @return the cgroup; [Cgroup#created()] tells what was made
  Cgroup create(String path);

  /// A cgroup that exists, or did: nothing is looked at.
  Cgroup open(String path);
}
