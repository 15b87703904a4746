package dev.peapod.engine.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A sandbox, as it is.
///
/// @param createdAt nanoseconds since 1970
/// @param ips the pod's addresses, the first one first; none on the host's network
/// @param pid the pause process as the host sees it, 0 once it is gone
/// @param cgroup the pod's cgroup, as a path below each hierarchy
/// @param netns where the network namespace is pinned
public record SandboxStatus(
    String id,
    SandboxSpec spec,
    SandboxState state,
    long createdAt,
    List<String> ips,
    int pid,
    String cgroup,
    Optional<Path> netns) {
  /// The two states that the CRI knows.
  public enum SandboxState {
    READY,
    NOT_READY
  }

  public SandboxStatus {
    ips = List.copyOf(ips);
  }
}
