package dev.peapod.engine.state;

import dev.peapod.engine.model.SandboxSpec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A sandbox's state file.
///
/// It is written before anything of the sandbox is made, and tells how to find all that may have
/// been.
///
/// @param bootId the boot in which it was made
/// @param createdAt nanoseconds since 1970
/// @param cgroup the pod's cgroup
/// @param createdCgroups the levels of it that were missing and are removed with it, outermost
///     first
/// @param netns where the network namespace is pinned, or `""`
/// @param pause the pause process, once there is one
/// @param joined whether pause joined a network that was there before it; null where an older daemon made it
public record StoredSandbox(
    int version,
    String bootId,
    String id,
    String owner,
    SandboxSpec spec,
    Phase phase,
    long createdAt,
    String cgroup,
    List<String> createdCgroups,
    String netns,
    @Nullable StoredProcess pause,
    List<String> ips,
    @Nullable Boolean joined) {
  /// The version that is written now.
  public static final int VERSION = 1;

  /// How far a sandbox is.
  public enum Phase {
    /// Being made: what is found in it after a crash is removed.
    CREATING,
    /// It was ready once.
    MADE,
    /// It was stopped: network and processes are gone.
    STOPPED
  }

  public StoredSandbox {
    if (version != VERSION) {
      throw new IllegalArgumentException("version " + version + " is not known");
    }
    Objects.requireNonNull(bootId, "bootId");
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(phase, "phase");
    Objects.requireNonNull(cgroup, "cgroup");
    Objects.requireNonNull(netns, "netns");
    createdCgroups = List.copyOf(createdCgroups);
    ips = List.copyOf(ips);
  }

  /// The same in another phase.
  public StoredSandbox with(Phase next) {
    return new StoredSandbox(
        version,
        bootId,
        id,
        owner,
        spec,
        next,
        createdAt,
        cgroup,
        createdCgroups,
        netns,
        pause,
        ips,
        joined);
  }

  /// The same with another request.
  public StoredSandbox with(SandboxSpec changed) {
    return new StoredSandbox(
        version,
        bootId,
        id,
        owner,
        changed,
        phase,
        createdAt,
        cgroup,
        createdCgroups,
        netns,
        pause,
        ips,
        joined);
  }

  /// The same with its cgroup's new levels.
  public StoredSandbox withCreatedCgroups(List<String> levels) {
    return new StoredSandbox(
        version, bootId, id, owner, spec, phase, createdAt, cgroup, levels, netns, pause, ips,
        joined);
  }

  /// The same, made: with its pause process and addresses.
  public StoredSandbox made(StoredProcess process, List<String> addresses) {
    return new StoredSandbox(
        version,
        bootId,
        id,
        owner,
        spec,
        Phase.MADE,
        createdAt,
        cgroup,
        createdCgroups,
        netns,
        process,
        addresses,
        joined);
  }
}
