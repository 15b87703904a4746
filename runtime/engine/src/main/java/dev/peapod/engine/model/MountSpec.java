package dev.peapod.engine.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A path of the host, or an image, that is shown in a container.
///
/// @param hostPath absolute; `""` for an image
/// @param recursiveReadOnly whether the mounts below the path are made read-only too
/// @param idMapped whether the files' owners are seen and stored as ids of the pod's own user
///     namespace
/// @param relabel whether the container may use the files where SELinux would keep it from them
/// @param options more options of the mount and of those below it, such as `noexec`
/// @param image what is shown instead of a path of the host
public record MountSpec(
    String containerPath,
    String hostPath,
    boolean readOnly,
    boolean recursiveReadOnly,
    Propagation propagation,
    boolean idMapped,
    boolean relabel,
    List<String> options,
    @Nullable ImageVolume image) {
  public MountSpec {
    // None in the state file of a daemon that knew none.
    options = options == null ? List.of() : List.copyOf(options);
  }

  /// An image that is shown in a container, read-only.
  ///
  /// @param reference as asked for
  /// @param subPath what of it is shown, `""` for all
  /// @param id the image's id; `""` until the container is made
  /// @param layers its layers, lowest first; none until the container is made
  public record ImageVolume(String reference, String subPath, String id, List<String> layers) {
    public ImageVolume {
      layers = List.copyOf(layers);
    }
  }

  /// A path of the host with no more said about it than this.
  public static MountSpec of(String containerPath, String hostPath, boolean readOnly) {
    return new MountSpec(
        containerPath, hostPath, readOnly, false, Propagation.PRIVATE, false, false, List.of(), null);
  }

  /// The same with another image.
  public MountSpec with(ImageVolume other) {
    return new MountSpec(
        containerPath,
        hostPath,
        readOnly,
        recursiveReadOnly,
        propagation,
        idMapped,
        relabel,
        options,
        other);
  }

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
