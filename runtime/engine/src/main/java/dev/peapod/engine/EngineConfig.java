package dev.peapod.engine;

import java.nio.file.Path;

/// Where an engine keeps things.
///
/// @param state the directory of its volatile state, such as `/run/peapod`
/// @param programs the directory with the native programs `pause` and `joiner`
/// @param netns where network namespaces are pinned, such as `/run/netns`
/// @param cgroupParent the cgroup of pods that name no parent, such as `/peapod`
public record EngineConfig(Path state, Path programs, Path netns, String cgroupParent) {
  /// @throws IllegalArgumentException if the cgroup is not a path like `/peapod`
  public EngineConfig {
    if (!cgroupParent.startsWith("/") || cgroupParent.length() < 2 || cgroupParent.endsWith("/")) {
      throw new IllegalArgumentException("cgroup parent \"" + cgroupParent + "\"");
    }
  }
}
