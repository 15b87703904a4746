package dev.peapod.engine;

import java.nio.file.Path;

/// Where an engine keeps things.
///
/// @param state the directory of its volatile state, such as `/run/peapod`
/// @param programs the directory with the native programs `pause` and `joiner`
/// @param netns where network namespaces are pinned, such as `/run/netns`
/// @param cgroupParent the cgroup of pods that name no parent, such as `/peapod`
/// @param networkPool how many networks are made ahead of the pods, 0 for none
public record EngineConfig(
    Path state, Path programs, Path netns, String cgroupParent, int networkPool) {
  /// @throws IllegalArgumentException if the cgroup is not a path like `/peapod`, or the pool's size negative
  public EngineConfig {
    if (!cgroupParent.startsWith("/") || cgroupParent.length() < 2 || cgroupParent.endsWith("/")) {
      throw new IllegalArgumentException("cgroup parent \"" + cgroupParent + "\"");
    }
    if (networkPool < 0) {
      throw new IllegalArgumentException("network pool " + networkPool);
    }
  }
}
