package dev.peapod.engine;

import dev.peapod.linux.cgroup.CgroupDriver;
import java.nio.file.Path;

/// Where an engine keeps things.
///
/// @param state the directory of its volatile state, such as `/run/peapod`
/// @param programs the directory with the native programs `pause` and `joiner`
/// @param netns where network namespaces are pinned, such as `/run/netns`
/// @param cgroupDriver whose the machine's cgroups are
/// @param cgroupParent the cgroup of pods that name no parent, such as `/peapod`, or `peapod.slice`
/// @param spares how many networks, and root filesystems of an image, are made ahead of the pods, 0 for none
public record EngineConfig(
    Path state, Path programs, Path netns, CgroupDriver cgroupDriver, String cgroupParent, int spares) {
  /// @throws IllegalArgumentException if the pool's size is negative
  public EngineConfig {
    if (spares < 0) {
      throw new IllegalArgumentException("spares " + spares);
    }
  }
}
