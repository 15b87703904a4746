package dev.peapod.engine.model;

/// A path of the host that is shown in a container.
///
/// @param recursiveReadOnly whether the mounts below the path are made read-only too
public record MountSpec(
    String containerPath,
    String hostPath,
    boolean readOnly,
    boolean recursiveReadOnly,
    Propagation propagation) {
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
