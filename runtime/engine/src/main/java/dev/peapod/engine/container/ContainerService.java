package dev.peapod.engine.container;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.cgroup.ResourceChecks;
import dev.peapod.engine.event.ContainerEvent;
import dev.peapod.engine.event.Events;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.launch.Started;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.MountSpec.ImageVolume;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserIds;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.state.Ids;
import dev.peapod.engine.state.NameReservations;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.security.Devices;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredExit;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Image;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshot;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.BootId;
import dev.peapod.linux.Directory;
import dev.peapod.linux.Errno;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.ProcessIdentity;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import dev.peapod.linux.cgroup.KernelCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/// Makes, starts, stops and removes containers. Thread-safe; calls block and belong on virtual
/// threads.
public final class ContainerService {
  /// What it works with.
  ///
  /// @param exits the directory of the exit records
  /// @param background runs what nobody waits for, and independent steps, on virtual threads
  public record Tools(
      EventLoop loop,
      Spawner spawner,
      Cgroups cgroups,
      ImageStore images,
      Snapshots snapshots,
      RootfsPool rootfs,
      StateStore<StoredContainer> store,
      NameReservations names,
      ContainerSecurity security,
      Path exits,
      Path control,
      Events events,
      Executor background,
      SpareTime spareTime,
      Clock clock) {}

  private static final long EXIT_SECONDS = 30;

  private final Tools tools;
  private final Containers containers;
  private final Exits exits;

  /// @param containers filled and emptied by this
  public ContainerService(Tools tools, Containers containers) {
    this.tools = tools;
    this.containers = containers;
    this.exits = new Exits(tools);
  }

  Events events() {
    return tools.events;
  }

  /// How containers end.
  public Exits exits() {
    return exits;
  }

  /// Makes a container and answers it, CREATED. If anything fails, all that was made is undone.
  public Container create(Sandbox sandbox, ContainerSpec spec) {
    ContainerChecks.check(spec, sandbox.spec());
    ResolvedSecurity security = tools.security.resolve(spec);
    sandbox.pause();
    String owner = sandbox.owner();
    Image image =
        tools
            .images
            .find(owner, spec.image())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        "container \""
                            + spec.name()
                            + "\": image \""
                            + spec.image()
                            + "\" is not here; pull it first"));
    // In a user namespace of its own, the image's files have other owners.
    boolean poolable = sandbox.spec().userNamespace() == null;
    Optional<RootfsPool.Spare> spare = poolable ? tools.rootfs.take(image) : Optional.empty();
    String id = spare.map(RootfsPool.Spare::id).orElseGet(Ids::random);
    String name = name(spec, sandbox.id());
    UndoStack undo = new UndoStack();
    spare.ifPresent(s -> undo.push("what was made ahead", () -> tools.rootfs.discard(s)));
    Container container = new Container(this, sandbox, initial(sandbox, id, spec, image));
    // Whoever stops or removes the sandbox from here on waits until the container is made or
    // undone.
    container.operation.lock();
    try {
      tools.names.reserve(owner, name, id);
      undo.push("the name", () -> tools.names.release(owner, name, id));
      sandbox.add(container);
      undo.push("its place in the sandbox", () -> sandbox.remove(container));
      undo.push("the container", container::markRemoved);
      make(undo, container, image, security, spare.map(RootfsPool.Spare::rootfs));
      if (poolable) {
        tools.rootfs.refill(image);
      }
      containers.add(container);
      container.tell(ContainerEvent.Type.CREATED);
      tools.spareTime.starting();
      return container;
    } catch (RuntimeException e) {
      undo.undo(e);
      throw e;
    } finally {
      container.operation.unlock();
    }
  }

  private StoredContainer initial(Sandbox sandbox, String id, ContainerSpec spec, Image image) {
    return new StoredContainer(
        StoredContainer.VERSION,
        BootId.current(),
        id,
        sandbox.owner(),
        sandbox.id(),
        spec,
        now(),
        sandbox.cgroup() + "/" + id,
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

  private void make(
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
    tools.store.save(stored);
    undo.push("the state file", () -> tools.store.delete(id));

    CompletableFuture<Void> inCgroup =
        CompletableFuture.runAsync(() -> makeCgroup(cgroup, spec, security), tools.background);
    undo.push(
        "the cgroup",
        () -> {
          inCgroup.handle((done, failed) -> null).join();
          tools.cgroups.open(cgroup).remove();
        });
    undo.push("the image's lease", () -> tools.images.release(id));
    tools.images.lease(image.id(), id);
    ContainerSpec resolved = resolveImages(stored.owner(), id, spec);
    Fd rootfs = madeAhead.orElseGet(() -> makeRootfs(undo, sandbox, id, image));
    // The directory shares the descriptor, so it is not closed.
    @SuppressWarnings("resource")
    Directory root = Directory.of(rootfs);
    ResolvedProcess process =
        ProcessResolver.resolve(
            spec, image.config(), hostname(sandbox), (path, max) -> read(root, path, max));
    checkIds(spec, sandbox.spec(), process.user());
    join(inCgroup);

    StoredContainer created = stored.created(resolved, process, security);
    tools.store.save(created);
    container.store(created);
    container.keepRootfs(rootfs);
    undo.clear();
  }

  private Fd makeRootfs(UndoStack undo, Sandbox sandbox, String id, Image image) {
    undo.push("the snapshot", () -> tools.snapshots.remove(id));
    Fd rootfs = mount(sandbox, tools.snapshots.prepare(id, image));
    undo.push("the root filesystem", rootfs::close);
    return rootfs;
  }

  private Fd mount(Sandbox sandbox, Snapshot snapshot) {
    return withOwners(sandbox, owners -> tools.snapshots.mount(snapshot, owners));
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
  private ContainerSpec resolveImages(String owner, String id, ContainerSpec spec) {
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
            .images
            .find(owner, asked.reference())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        subject
                            + "image \""
                            + asked.reference()
                            + "\" is not here; pull it first"));
    tools.images.lease(image.id(), id);
    try {
      tools.snapshots.view(image.layers(), asked.subPath(), Optional.empty()).close();
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
  private List<Fd> imageMounts(Container container) {
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
                      tools.snapshots.view(
                          layers, image.subPath(), mount.idMapped() ? owners : Optional.empty())));
        }
      }
      return views;
    } catch (RuntimeException e) {
      views.forEach(Fd::close);
      throw e;
    }
  }

  /// The user namespace of a pod that has one of its own.
  private static Optional<Fd> users(Sandbox sandbox) {
    return Optional.ofNullable(sandbox.spec().userNamespace())
        .map(own -> Namespaces.open(sandbox.pause(), Namespaces.Type.USER));
  }

  private void makeCgroup(String path, ContainerSpec spec, ResolvedSecurity security) {
    Cgroup cgroup = tools.cgroups.create(path);
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

  /// Starts a container. If it can not be started it becomes EXITED with reason `StartError`.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it is not CREATED or its sandbox is not READY
  public void start(Container container) {
    container.operation.lock();
    try {
      if (container.isRemoved()) {
        throw PeapodException.notFound(container.title() + " has been removed");
      }
      if (container.state() != ContainerState.CREATED) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            container.title() + " can not be started: it is " + container.state());
      }
      container.sandbox().pause();
      try {
        launch(container);
        tools.spareTime.started();
      } catch (LaunchException e) {
        FailureText.Failure failure = FailureText.of(container.title(), e);
        startFailed(container, failure.exitCode(), failure.sentence());
        throw failure.asException(e);
      } catch (PeapodException e) {
        startFailed(container, 128, String.valueOf(e.getMessage()));
        throw e;
      }
    } finally {
      container.operation.unlock();
    }
  }

  private void launch(Container container) {
    StoredContainer stored = container.stored();
    Fd kept = container.takeRootfs();
    try (Fd rootfs = kept == null ? mount(container.sandbox(), snapshot(stored)) : kept) {
      Optional<Path> log = logPath(container);
      log.ifPresent(ContainerService::makeDirectory);
      Cgroup cgroup = tools.cgroups.open(stored.cgroup());
      List<Fd> held = new ArrayList<>();
      try (ContainerSecurity.Grant security =
          tools.security.grant(stored.spec(), container.security())) {
        Optional<Fd> target = target(container);
        target.ifPresent(held::add);
        Optional<Fd> users = users(container.sandbox());
        users.ifPresent(held::add);
        List<Fd> images = imageMounts(container);
        held.addAll(images);
        LaunchPlan plan =
            ContainerPlan.of(
                new ContainerPlan.Input(
                    container.id(),
                    stored.spec(),
                    container.sandbox().spec(),
                    container.process(),
                    security,
                    Devices.nodes(stored.spec(), container.security()),
                    CgroupEntries.of(cgroup),
                    CgroupEntries.counters(
                        cgroup, tools.cgroups.open(container.sandbox().cgroup())),
                    cgroup.view(),
                    rootfs,
                    container.sandbox().pause().fd(),
                    target,
                    container.sandbox().files(),
                    tools.exits,
                    tools.control.resolve(stored.id()),
                    log,
                    users,
                    images));
        long before = now();
        started(container, tools.spawner.launch(plan), before);
      } finally {
        held.forEach(Fd::close);
      }
    }
  }

  /// @param at a time that is not after the start, so that no end seems to be before it
  private void started(Container container, Started started, long at) {
    StoredProcess main = new StoredProcess(started.process().pid(), started.startTime());
    StoredProcess monitor = new StoredProcess(started.monitorPid(), started.monitorStartTime());
    StoredContainer next = container.stored().started(main, monitor, at);
    tools.store.save(next);
    Optional<Pidfd> watched =
        new ProcessIdentity(monitor.pid(), monitor.startTime(), BootId.current()).open();
    if (watched.isPresent()) {
      container.running(next, started.process(), watched.get());
      exits.watch(container);
    } else {
      started.process().close();
      container.started(next);
      exits.settle(container, true);
    }
  }

  private void startFailed(Container container, int exitCode, String message) {
    StoredExit exit = new StoredExit(exitCode, now(), "StartError", message);
    StoredContainer failed = container.stored().exited(exit);
    container.store(failed);
    tools.cgroups.open(failed.cgroup()).kill();
    tools.store.save(failed);
    container.ended(exit);
  }

  private Optional<Fd> target(Container container) {
    if (container.stored().spec().security().pid() != NamespaceMode.TARGET) {
      return Optional.empty();
    }
    String id = container.stored().spec().security().targetId();
    Container other = containers.get(container.owner(), id);
    if (other.sandbox() != container.sandbox()) {
      throw PeapodException.invalid(
          container.title() + ": target container \"" + id + "\" is in another pod");
    }
    return Optional.of(other.mainProcess());
  }

  private static void makeDirectory(Path log) {
    try {
      Path directory = log.getParent();
      if (directory != null && !Files.isDirectory(directory)) {
        Files.createDirectories(directory);
      }
    } catch (IOException e) {
      throw PeapodException.internal("making the directory of log " + log + " failed: " + e, e);
    }
  }

  /// Changes what a container may use, from now on; what `update` does not set stays as it is.
  ///
  /// @throws PeapodException INVALID naming the field, FAILED_PRECONDITION if it has ended or uses more
  ///     memory than that; nothing is changed then
  public void update(Container container, ResourceSpec update) {
    container.operation.lock();
    try {
      if (container.state() == ContainerState.EXITED || container.isRemoved()) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            container.title() + " can not be updated: it is " + container.state());
      }
      ResourceSpec before = container.stored().spec().resources();
      ResourceSpec after = before.updatedBy(update);
      ResourceChecks.check(container.title(), after);
      Cgroup cgroup = tools.cgroups.open(container.cgroup());
      try {
        CgroupEntries.apply(container.title(), cgroup, CgroupEntries.limits(before, update));
      } catch (KernelException e) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION, container.title() + " can not be updated: " + e.getMessage(), e);
      }
      if (update.oomScoreAdj() != 0) {
        OomScores.set(cgroup.processes(), update.oomScoreAdj());
      }
      StoredContainer next = container.stored().with(container.stored().spec().with(after));
      tools.store.save(next);
      container.store(next);
    } finally {
      container.operation.unlock();
    }
  }

  /// Asks a container's main process to end, and kills all of the container when the grace is over.
  /// Does nothing if it does not run.
  ///
  /// @param grace zero: kill at once
  public void stop(Container container, Duration grace) {
    if (container.state() != ContainerState.RUNNING) {
      return;
    }
    if (grace.isPositive()) {
      container.signal(container.process().stopSignal());
      if (container.awaitExit(grace)) {
        return;
      }
    }
    kill(container);
    awaitEnd(container);
  }

  /// Kills all processes of a container; the future completes when it has ended.
  CompletableFuture<?> kill(Container container) {
    if (container.state() == ContainerState.CREATED) {
      // A start may be on its way: after it, the sandbox being not READY, no other can be.
      container.operation.lock();
      container.operation.unlock();
    }
    if (container.state() != ContainerState.RUNNING) {
      return CompletableFuture.completedFuture(null);
    }
    Cgroup cgroup = tools.cgroups.open(container.cgroup());
    container.killing(oomKills(cgroup));
    cgroup.kill();
    return container.exited;
  }

  private static long oomKills(Cgroup cgroup) {
    try {
      return cgroup.oomCounter().map(KernelCounter::value).orElse(0L);
    } catch (KernelException e) {
      // It has ended meanwhile, and its cgroup with it.
      return 0;
    }
  }

  private static void awaitEnd(Container container) {
    if (!container.awaitExit(Duration.ofSeconds(EXIT_SECONDS))) {
      throw new PeapodException(
          Kind.INTERNAL,
          container.title() + " was killed and did not end within " + EXIT_SECONDS + " s");
    }
  }

  /// Kills a container and removes it with all that belongs to it; its log stays. Doing it again
  /// does nothing.
  public void remove(Container container) {
    container.operation.lock();
    try {
      if (container.isRemoved()) {
        return;
      }
      if (container.state() == ContainerState.RUNNING) {
        tools.cgroups.open(container.cgroup()).kill();
        awaitEnd(container);
      }
      container.release();
      StoredContainer stored = container.stored();
      clean(stored);
      tools.names.release(stored.owner(), name(stored.spec(), stored.sandboxId()), stored.id());
      container.sandbox().remove(container);
      containers.remove(container);
      container.markRemoved();
      container.tell(ContainerEvent.Type.DELETED);
    } finally {
      container.operation.unlock();
    }
  }

  /// Removes what may be there of a container that does not run, its state file last.
  private void clean(StoredContainer stored) {
    String id = stored.id();
    tools.cgroups.open(stored.cgroup()).remove();
    // Nobody waits for it: what a daemon that ends leaves is removed by the next one.
    tools.background.execute(() -> tools.snapshots.remove(id));
    tools.images.release(id);
    try {
      Files.deleteIfExists(tools.exits.resolve(id));
      Files.deleteIfExists(tools.control.resolve(id));
    } catch (IOException e) {
      throw PeapodException.internal("removing the files of " + id + " failed: " + e, e);
    }
    tools.store.delete(id);
  }

  /// Removes whatever there may be of a container that was never finished, or that another boot
  /// had.
  public void discard(StoredContainer stored) {
    if (stored.bootId().equals(BootId.current())) {
      tools.cgroups.open(stored.cgroup()).kill();
    }
    clean(stored);
  }

  /// Takes over a container of a daemon before this one.
  public Container adopt(Sandbox sandbox, StoredContainer stored) {
    Container container = new Container(this, sandbox, stored);
    tools.names.reserve(stored.owner(), name(stored.spec(), stored.sandboxId()), stored.id());
    sandbox.adopt(container);
    containers.add(container);
    exits.adopt(container);
    return container;
  }

  /// Where a container's output goes, if anywhere.
  Optional<Path> logPath(Container container) {
    String directory = container.sandbox().spec().logDirectory();
    String path = container.stored().spec().logPath();
    return directory.isEmpty() || path.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(directory).resolve(path));
  }

  private Snapshot snapshot(StoredContainer stored) {
    Path directory = tools.snapshots.directory().resolve(stored.id());
    return new Snapshot(
        stored.id(),
        stored.layers().stream().map(Path::of).toList(),
        directory.resolve("upper"),
        directory.resolve("work"));
  }

  private static String name(ContainerSpec spec, String sandboxId) {
    return spec.name() + "_" + spec.attempt() + "_" + sandboxId;
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

  private long now() {
    Instant t = tools.clock.instant();
    return t.getEpochSecond() * 1_000_000_000L + t.getNano();
  }
}
