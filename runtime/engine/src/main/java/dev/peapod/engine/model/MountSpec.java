package dev.peapod.engine.model;

/// A path of the host that is shown in a container.
///
/// @param recursiveReadOnly whether the mounts below the path are made read-only too
/// @param idMapped whether the files' owners are seen and stored as ids of the pod's own user
///     namespace
public record MountSpec(
    String containerPath,
    String hostPath,
    boolean readOnly,
    boolean recursiveReadOnly,
    Propagation propagation,
    boolean idMapped) {
  /// Which mounts that come later are seen on the other side.
  public enum Propagation {
    /// None.
    PRIVATE,
    /// Those of the host are seen in the container.
    HOST_TO_CONTAINER,
    /// Both ways.
    BIDIRECTIONAL
  }
}
