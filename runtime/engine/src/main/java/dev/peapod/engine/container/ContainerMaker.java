package dev.peapod.engine.container;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserIds;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.security.Devices;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Image;
import dev.peapod.linux.BootId;
import dev.peapod.linux.Directory;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.cgroup.Cgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/// Makes what belongs to a container before it is started: its cgroup, its root filesystem, the process that it will be.
final class ContainerMaker {
  private final ContainerTools tools;
  private final ContainerFiles files;

  ContainerMaker(ContainerTools tools, ContainerFiles files) {
    this.tools = tools;
    this.files = files;
  }

  /// What a container is before any of it is made.
  StoredContainer initial(Sandbox sandbox, String id, ContainerSpec spec, Image image) {
    return new StoredContainer(
        StoredContainer.VERSION,
        BootId.current(),
        id,
        sandbox.owner(),
        sandbox.id(),
        spec,
        tools.now(),
        tools.cgroups().driver().members(sandbox.cgroup(), sandbox.id()) + "/" + id,
        image.id(),
        image.tags().stream().findFirst().orElse(spec.image()),
        image.digests().stream().findFirst().orElse(image.id()),
        null,
        null,
        image.layers().stream().map(Path::toString).toList(),
        null,
        null,
        0,
        null);
  }

  /// Makes it, and pushes how each step is undone; nothing is left to undo once it is made.
  ///
  /// @param madeAhead its root filesystem, if there was one
  void make(
      UndoStack undo,
      Container container,
      Image image,
      ResolvedSecurity security,
      Optional<Fd> madeAhead) {
    Sandbox sandbox = container.sandbox();
    StoredContainer stored = container.stored();
    ContainerSpec spec = stored.spec();
    String id = stored.id();
    String cgroup = stored.cgroup();
    tools.store().save(stored);
    undo.push("the state file", () -> tools.store().delete(id));

    CompletableFuture<Void> inCgroup =
        CompletableFuture.runAsync(() -> makeCgroup(cgroup, spec, security), tools.background());
    undo.push(
        "the cgroup",
        () -> {
          inCgroup.handle((done, failed) -> null).join();
          tools.cgroups().open(cgroup).remove();
        });
    undo.push("the image's lease", () -> tools.images().release(id));
    tools.images().lease(image.id(), id);
    ContainerSpec resolved = files.resolveImages(stored.owner(), id, spec);
    VolumeLabels.give(security.fileLabel(), spec, sandbox.files());
    Fd rootfs =
        madeAhead.orElseGet(
            () -> files.makeRootfs(undo, sandbox, id, image, security.fileLabel()));
    // The directory shares the descriptor, so it is not closed.
    @SuppressWarnings("resource")
    Directory root = Directory.of(rootfs);
    ResolvedProcess process =
        ProcessResolver.resolve(
            spec, image.config(), hostname(sandbox), (path, max) -> read(root, path, max));
    checkIds(spec, sandbox.spec(), process.user());
    join(inCgroup);

    StoredContainer created = stored.created(resolved, process, security);
    tools.store().save(created);
    container.store(created);
    container.keepRootfs(rootfs);
    undo.clear();
  }

  private void makeCgroup(String path, ContainerSpec spec, ResolvedSecurity security) {
    Cgroup cgroup = tools.cgroups().create(path);
    Devices.rules(spec, security).ifPresent(cgroup::restrictDevices);
    CgroupEntries.apply(
        "container \"" + spec.name() + "\"", cgroup, CgroupEntries.limits(spec.resources()));
  }

  /// Refuses users and groups that are nobody in the pod's user namespace.
  private static void checkIds(ContainerSpec spec, SandboxSpec sandbox, UserIds ids) {
    UserNamespace users = sandbox.userNamespace();
    if (users == null) {
      return;
    }
    if (!users.uids().has(ids.uid())) {
      throw notMapped(spec, "user", ids.uid(), users.uids());
    }
    for (long group : ids.groups()) {
      if (!users.gids().has(group)) {
        throw notMapped(spec, "group", group, users.gids());
      }
    }
  }

  private static PeapodException notMapped(
      ContainerSpec spec, String what, long id, UserNamespace.Ids ids) {
    return PeapodException.invalid(
        "container \"%s\": %s %d is not in the pod's user namespace, which has 0 to %d"
            .formatted(spec.name(), what, id, ids.count() - 1));
  }

  private static Optional<byte[]> read(Directory root, String path, int max) {
    try {
      return Optional.of(root.readRegular(path, max));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static String hostname(Sandbox sandbox) {
    try {
      return Files.readString(sandbox.files().resolve("hostname")).strip();
    } catch (IOException e) {
      throw PeapodException.internal("reading the pod's host name failed: " + e, e);
    }
  }

  private static void join(CompletableFuture<Void> step) {
    try {
      step.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }
}
