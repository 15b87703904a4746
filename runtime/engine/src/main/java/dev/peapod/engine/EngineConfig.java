package dev.peapod.engine;

import java.nio.file.Path;

/// Where an engine keeps things.
///
/// @param state the directory of its volatile state, such as `/run/peapod`
/// @param programs the directory with the native programs `pause` and `joiner`
/// @param netns where network namespaces are pinned, such as `/run/netns`
/// @param cgroupParent the cgroup of pods that name no parent, such as `/peapod`
/// @param spares how many networks, and root filesystems of an image, are made ahead of the pods, 0 for none
public record EngineConfig(
    Path state, Path programs, Path netns, String cgroupParent, int spares) {
  /// @throws IllegalArgumentException if the cgroup is not a path like `/peapod`, or the pool's size negative
  public EngineConfig {
    if (!cgroupParent.startsWith("/") || cgroupParent.length() < 2 || cgroupParent.endsWith("/")) {
      throw new IllegalArgumentException("cgroup parent \"" + cgroupParent + "\"");
    }
    if (spares < 0) {
      throw new IllegalArgumentException("spares " + spares);
    }
  }
}
