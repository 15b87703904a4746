package dev.peapod.engine.checkpoint;

import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerService;
import dev.peapod.engine.container.ContainerTools;
import dev.peapod.engine.container.Restoration;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.sandbox.SandboxService;
import dev.peapod.engine.state.Ids;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.layer.LayerPacker;
import dev.peapod.image.layer.TarWriter;
import dev.peapod.image.store.Disk;
import dev.peapod.image.store.IoErrors;
import dev.peapod.linux.KernelException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Saves containers and pods to archives, and makes pods from these. Thread-safe.
public final class Checkpoints {
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final ContainerTools tools;
  private final ContainerService containers;
  private final SandboxService sandboxes;

  public Checkpoints(
      ContainerTools tools, ContainerService containers, SandboxService sandboxes) {
    this.tools = tools;
    this.containers = containers;
    this.sandboxes = sandboxes;
  }

  /// Saves a container, which goes on running.
  ///
  /// @param location of the archive; what is there is replaced once the new one is whole
  /// @throws PeapodException FAILED_PRECONDITION saying why it can not be saved, DEADLINE_EXCEEDED
  public void save(Container container, Path location, Duration timeout) {
    check(container);
    within(
        location,
        work -> {
          try (Archive archive = Archive.begin(location, work.getFileName().toString())) {
            add(archive, container, work, timeout);
            archive.commit();
          }
        });
  }

  /// Saves containers of a pod one after the other; they go on running.
  public void save(
      Sandbox sandbox, List<Container> containers, Path location, Duration timeout) {
    containers.forEach(Checkpoints::check);
    List<String> names = containers.stream().map(c -> c.status().spec().name()).toList();
    if (names.size() != names.stream().distinct().count()) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "sandbox " + sandbox.id() + " can not be saved: two of its containers have one name");
    }
    within(
        location,
        work -> {
          try (Archive whole = Archive.begin(location, work.getFileName().toString())) {
            whole.document(
                Layout.POD, Descriptions.pod(sandbox.spec(), names, tools.clock().instant()));
            for (Container container : containers) {
              Path own = Files.createDirectory(work.resolve(container.id()));
              Path part = work.resolve(container.id() + ".tar");
              try (Archive archive = Archive.begin(part, "new")) {
                add(archive, container, own, timeout);
                archive.commit();
              }
              whole.file(
                  Layout.CONTAINERS + "/" + container.status().spec().name() + ".tar", part);
              Files.delete(part);
              Disk.discard(own);
            }
            whole.commit();
          }
        });
  }

  /// Makes a pod with containers that go on where the checkpoint's were. Of the checkpoint, only the processes and the files of
  /// the containers are taken; all else is as the request says. If anything fails, nothing is left of the pod.
  ///
  /// @param makeSandbox makes the pod's sandbox
  /// @param specs the containers, which the checkpoint has by their names
  /// @throws PeapodException INVALID if that is no checkpoint of them, FAILED_PRECONDITION saying why it can not be restored
  public List<Container> restore(
      Path archive, SandboxSpec pod, Supplier<Sandbox> makeSandbox, List<ContainerSpec> specs) {
    Map<String, Path> archives = new LinkedHashMap<>();
    List<Container> restored = new ArrayList<>();
    within(
        "the checkpoint " + archive + " can not be restored",
        work -> {
          for (ContainerSpec spec : specs) {
            refuse("container \"" + spec.name() + "\" can not be restored: ", spec, pod);
            if (archives.put(spec.name(), work.resolve(archives.size() + ".tar")) != null) {
              throw PeapodException.invalid(
                  "container_configs: there are two with the name \"" + spec.name() + "\"");
            }
          }
          Criu.program();
          PodArchive.containers(archive, archives);
          List<Path> parts = new ArrayList<>();
          for (Path part : archives.values()) {
            Path own = Files.createDirectory(work.resolve("container-" + parts.size()));
            PodArchive.container(part, own);
            Files.delete(part);
            parts.add(own);
          }
          Sandbox sandbox = makeSandbox.get();
          try {
            for (int i = 0; i < specs.size(); i++) {
              restored.add(restore(sandbox, specs.get(i), parts.get(i)));
            }
          } catch (RuntimeException e) {
            undo(sandbox, e);
            throw e;
          }
        });
    return restored;
  }

  private Container restore(Sandbox sandbox, ContainerSpec spec, Path directory) {
    Container container = containers.create(sandbox, spec);
    try {
      containers.restore(
          container, new Restoration(new SavedContainer(tools, spec, directory)));
      return container;
    } catch (PeapodException e) {
      Path log = directory.resolve(Layout.RESTORE_LOG);
      if (!Files.exists(log) || e.kind() != Kind.INTERNAL) {
        throw e;
      }
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, e.getMessage() + ": " + Criu.reason(log), e);
    }
  }

  private void undo(Sandbox sandbox, Exception cause) {
    try {
      sandboxes.remove(sandbox);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// What can not be saved, whatever criu says.
  private static void check(Container container) {
    ContainerSpec spec = container.status().spec();
    container.mainProcess().close();
    refuse(container.title() + " can not be saved: ", spec, container.sandbox().spec());
  }

  private static void refuse(String what, ContainerSpec spec, SandboxSpec pod) {
    String why = "";
    if (spec.security().pid() != NamespaceMode.CONTAINER) {
      why = "it shares its PID namespace; criu saves only containers with one of their own";
    } else if (pod.userNamespace() != null) {
      why = "its pod has a user namespace of its own";
    } else if (spec.tty()) {
      why = "it has a terminal, whose other end is not its own";
    } else if (spec.mounts().stream().anyMatch(m -> m.containerPath().startsWith("/proc"))) {
      why = "it has a mount in /proc";
    }
    if (!why.isEmpty()) {
      throw new PeapodException(Kind.FAILED_PRECONDITION, what + why);
    }
  }

  private void add(Archive archive, Container container, Path work, Duration timeout)
      throws IOException {
    new Dump(tools, container, work).run(timeout);
    Path images = work.resolve(Layout.IMAGES);
    Path files = work.resolve(Layout.ROOTFS);
    try (TarWriter tar =
        new TarWriter(new BufferedOutputStream(Files.newOutputStream(files), 1 << 18))) {
      LayerPacker.pack(
          tools.snapshots().directory().resolve(container.id()).resolve("upper"), tar);
    }
    archive.document(Layout.CONFIG, Descriptions.config(container, tools.clock().instant()));
    archive.document(Layout.SPEC, Descriptions.spec(container));
    for (String name : List.of(Layout.LOG, Layout.STATISTICS)) {
      Path beside = work.resolve(name);
      Files.move(images.resolve(name), beside, StandardCopyOption.ATOMIC_MOVE);
      archive.file(name, beside);
    }
    archive.directory(Layout.IMAGES, images);
    archive.file(Layout.ROOTFS, files);
  }

  @FunctionalInterface
  private interface Work {
    void in(Path directory) throws IOException;
  }

  /// Does what makes an archive, in a directory that is gone afterwards.
  private void within(Path location, Work work) {
    if (!Files.isDirectory(location.resolveSibling(".")) || Files.isDirectory(location)) {
      throw PeapodException.invalid(
          "a checkpoint can not be written to " + location + ": its directory is not there, or it is one");
    }
    within("the checkpoint " + location + " can not be written", work);
  }

  private void within(String failure, Work work) {
    Path own = directory().resolve(Ids.random());
    try {
      Files.createDirectory(own, PRIVATE);
      work.in(own);
    } catch (IOException e) {
      throw IoErrors.of(failure, e);
    } catch (KernelException e) {
      throw PeapodException.internal(failure + ": " + e.getMessage(), e);
    } finally {
      Disk.discard(own);
    }
  }

  /// Where checkpoints are made, beside the containers' files.
  private Path directory() {
    return tools.snapshots().directory().resolveSibling("checkpoints");
  }

  /// Makes ready for work, and removes what a daemon that died has left of its own.
  public void clean() {
    try {
      if (Files.exists(directory())) {
        Disk.discard(directory());
      }
      Files.createDirectories(directory(), PRIVATE);
    } catch (IOException e) {
      throw IoErrors.of(directory() + " can not be made", e);
    }
  }
}
