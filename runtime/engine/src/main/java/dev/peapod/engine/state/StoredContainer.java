package dev.peapod.engine.state;

import dev.peapod.engine.model.ContainerSpec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A container's state file.
///
/// It is written before anything of the container is made. An exit is not written here, since the
/// monitor's exit record tells it, unless there is none ([#exit]).
///
/// @param bootId the boot in which it was made
/// @param createdAt nanoseconds since 1970
/// @param cgroup the container's cgroup
/// @param imageName a tag of the image, or what the request called it
/// @param imageRef its name with its digest, or its id
/// @param process what is started; absent while the container is being made
/// @param security what its security was made of; absent while the container is being made
/// @param layers of the image, lowest first
/// @param main the main process, once started
/// @param monitor its monitor
public record StoredContainer(
    int version,
    String bootId,
    String id,
    String owner,
    String sandboxId,
    ContainerSpec spec,
    long createdAt,
    String cgroup,
    String imageId,
    String imageName,
    String imageRef,
    @Nullable ResolvedProcess process,
    @Nullable ResolvedSecurity security,
    List<String> layers,
    @Nullable StoredProcess main,
    @Nullable StoredProcess monitor,
    long startedAt,
    @Nullable StoredExit exit) {
  /// The version that is written now.
  public static final int VERSION = 1;

  public StoredContainer {
    if (version != VERSION) {
      throw new IllegalArgumentException("version " + version + " is not known");
    }
    Objects.requireNonNull(bootId, "bootId");
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(sandboxId, "sandboxId");
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(cgroup, "cgroup");
    Objects.requireNonNull(imageId, "imageId");
    Objects.requireNonNull(imageName, "imageName");
    Objects.requireNonNull(imageRef, "imageRef");
    layers = List.copyOf(layers);
  }

  /// The same with other resources.
  public StoredContainer with(ContainerSpec changed) {
    return new StoredContainer(
        version, bootId, id, owner, sandboxId, changed, createdAt, cgroup, imageId, imageName,
        imageRef, process, security, layers, main, monitor, startedAt, exit);
  }

  /// The same, ready to be started.
  ///
  /// @param found the spec with what was found of the images that it mounts
  public StoredContainer created(
      ContainerSpec found, ResolvedProcess resolved, ResolvedSecurity itsSecurity) {
    return new StoredContainer(
        version, bootId, id, owner, sandboxId, found, createdAt, cgroup, imageId, imageName,
        imageRef, resolved, itsSecurity, layers, main, monitor, startedAt, exit);
  }

  /// The same, started.
  public StoredContainer started(StoredProcess mainProcess, StoredProcess itsMonitor, long at) {
    return new StoredContainer(
        version,
        bootId,
        id,
        owner,
        sandboxId,
        spec,
        createdAt,
        cgroup,
        imageId,
        imageName,
        imageRef,
        process,
        security,
        layers,
        mainProcess,
        itsMonitor,
        at,
        exit);
  }

  /// The same, ended without an exit record.
  public StoredContainer exited(StoredExit how) {
    return new StoredContainer(
        version, bootId, id, owner, sandboxId, spec, createdAt, cgroup, imageId, imageName,
        imageRef, process, security, layers, main, monitor, startedAt, how);
  }
}
