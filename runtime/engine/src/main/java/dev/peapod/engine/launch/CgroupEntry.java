package dev.peapod.engine.launch;

import java.util.List;
import java.util.Optional;

/// How a process gets into its cgroup, and how all in it are killed.
///
/// @param into the cgroup2 directory for CLONE_INTO_CGROUP
/// @param enterFiles the files that it writes `0` to
public record CgroupEntry(
    Optional<String> into,
    List<String> enterFiles,
    Operation.KillCgroup kill) {
  public CgroupEntry {
    enterFiles = List.copyOf(enterFiles);
  }

  /// Adds the operations that enter the cgroup; they are the first of the host stage.
  public void enter(LaunchPlan.Builder plan) {
    into.ifPresent(directory -> plan.add(new Operation.CgroupInto(directory)));
    for (String file : enterFiles) {
      plan.add(new Operation.CgroupEnter(file));
    }
  }
}
