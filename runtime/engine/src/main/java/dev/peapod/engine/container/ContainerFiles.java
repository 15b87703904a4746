package dev.peapod.engine.container;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.MountSpec.ImageVolume;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Image;
import dev.peapod.image.Snapshot;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// The file systems of containers: their root, and the images that are mounted in them.
final class ContainerFiles {
  private final ContainerTools tools;

  ContainerFiles(ContainerTools tools) {
    this.tools = tools;
  }

  /// Makes a root filesystem and mounts it; how that is undone is pushed.
  ///
  /// @param label what SELinux calls its files, `""` for what they are called on the host
  Fd makeRootfs(UndoStack undo, Sandbox sandbox, String id, Image image, String label) {
    undo.push("the snapshot", () -> tools.snapshots().remove(id));
    Fd rootfs = mount(sandbox, tools.snapshots().prepare(id, image), label);
    undo.push("the root filesystem", rootfs::close);
    return rootfs;
  }

  /// Mounts the root filesystem of a container that was made before.
  Fd mountRootfs(Container container) {
    return mount(
        container.sandbox(), snapshot(container.stored()), container.security().fileLabel());
  }

  private Fd mount(Sandbox sandbox, Snapshot snapshot, String label) {
    return withOwners(sandbox, owners -> tools.snapshots().mount(snapshot, owners, label));
  }

  /// Where a container's own files are; nothing may be written there while they are mounted.
  Path upper(StoredContainer stored) {
    return snapshot(stored).upper();
  }

  private Snapshot snapshot(StoredContainer stored) {
    Path directory = tools.snapshots().directory().resolve(stored.id());
    return new Snapshot(
        stored.id(),
        stored.layers().stream().map(Path::of).toList(),
        directory.resolve("upper"),
        directory.resolve("work"));
  }

  /// Who the owners of an image's files are in a pod.
  private static <T> T withOwners(Sandbox sandbox, Function<Optional<Snapshots.Owners>, T> work) {
    UserNamespace own = sandbox.spec().userNamespace();
    if (own == null) {
      return work.apply(Optional.empty());
    }
    try (Fd users = Namespaces.open(sandbox.pause(), Namespaces.Type.USER)) {
      return work.apply(
          Optional.of(
              new Snapshots.Owners(users, (int) own.uids().first(), (int) own.gids().first())));
    }
  }

  /// The spec with the images that are mounted; each is held by the container and has what is
  /// asked for.
  ContainerSpec resolveImages(String owner, String id, ContainerSpec spec) {
    if (spec.mounts().stream().allMatch(mount -> mount.image() == null)) {
      return spec;
    }
    List<MountSpec> mounts = new ArrayList<>();
    for (MountSpec mount : spec.mounts()) {
      ImageVolume asked = mount.image();
      mounts.add(asked == null ? mount : mount.with(resolve(owner, id, spec, mount, asked)));
    }
    return spec.withMounts(mounts);
  }

  private ImageVolume resolve(
      String owner, String id, ContainerSpec spec, MountSpec mount, ImageVolume asked) {
    String subject =
        "container \"" + spec.name() + "\": mount of \"" + mount.containerPath() + "\": ";
    Image image =
        tools
            .images()
            .find(owner, asked.reference())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        subject
                            + "image \""
                            + asked.reference()
                            + "\" is not here; pull it first"));
    tools.images().lease(image.id(), id);
    try {
      tools.snapshots().view(image.layers(), asked.subPath(), Optional.empty()).close();
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), subject + e.getMessage(), e);
    }
    return new ImageVolume(
        asked.reference(),
        asked.subPath(),
        image.id(),
        image.layers().stream().map(Path::toString).toList());
  }

  /// The images that a container mounts, in the order of its mounts.
  List<Fd> imageMounts(Container container) {
    List<Fd> views = new ArrayList<>();
    try {
      for (MountSpec mount : container.stored().spec().mounts()) {
        ImageVolume image = mount.image();
        if (image != null) {
          List<Path> layers = image.layers().stream().map(Path::of).toList();
          views.add(
              withOwners(
                  container.sandbox(),
                  owners ->
                      tools.snapshots().view(
                          layers, image.subPath(), mount.idMapped() ? owners : Optional.empty())));
        }
      }
      return views;
    } catch (RuntimeException e) {
      views.forEach(Fd::close);
      throw e;
    }
  }
}
