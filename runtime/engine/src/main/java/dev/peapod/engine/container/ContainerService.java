package dev.peapod.engine.container;

import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.cgroup.ResourceChecks;
import dev.peapod.engine.event.ContainerEvent;
import dev.peapod.engine.event.Events;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.state.Ids;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredExit;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Image;
import dev.peapod.linux.BootId;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.KernelCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// Makes, starts, stops and removes containers. Thread-safe; calls block and belong on virtual
/// threads.
public final class ContainerService {
  private static final long EXIT_SECONDS = 30;

  private final ContainerTools tools;
  private final Containers containers;
  private final Exits exits;
  private final ContainerMaker maker;
  private final ContainerLauncher launcher;
  private final ContainerPlans plans;

  /// @param containers filled and emptied by this
  public ContainerService(ContainerTools tools, Containers containers) {
    this.tools = tools;
    this.containers = containers;
    this.exits = new Exits(tools);
    ContainerFiles files = new ContainerFiles(tools);
    this.maker = new ContainerMaker(tools, files);
    this.plans = new ContainerPlans(tools);
    this.launcher = new ContainerLauncher(tools, containers, files, plans, exits);
  }

  /// The operations that a container's main process is or was started by, made of what is on record.
  public List<Operation> plan(Container container) {
    return plans.described(container);
  }

  Events events() {
    return tools.events();
  }

  /// How containers end.
  public Exits exits() {
    return exits;
  }

  /// Makes a container and answers it, CREATED. If anything fails, all that was made is undone.
  public Container create(Sandbox sandbox, ContainerSpec spec) {
    ContainerChecks.check(spec, sandbox.spec());
    ResolvedSecurity security = tools.security().resolve(spec);
    sandbox.pause();
    String owner = sandbox.owner();
    Image image =
        tools
            .images()
            .find(owner, spec.image())
            .orElseThrow(
                () ->
                    PeapodException.notFound(
                        "container \""
                            + spec.name()
                            + "\": image \""
                            + spec.image()
                            + "\" is not here; pull it first"));
    // In a user namespace of its own the image's files have other owners, and with a label others are made.
    boolean poolable =
        sandbox.spec().userNamespace() == null && security.fileLabel().isEmpty();
    Optional<RootfsPool.Spare> spare = poolable ? tools.rootfs().take(image) : Optional.empty();
    String id = spare.map(RootfsPool.Spare::id).orElseGet(Ids::random);
    String name = name(spec, sandbox.id());
    UndoStack undo = new UndoStack();
    spare.ifPresent(s -> undo.push("what was made ahead", () -> tools.rootfs().discard(s)));
    Container container = new Container(this, sandbox, maker.initial(sandbox, id, spec, image));
    // Whoever stops or removes the sandbox from here on waits until the container is made or
    // undone.
    container.operation.lock();
    try {
      tools.names().reserve(owner, name, id);
      undo.push("the name", () -> tools.names().release(owner, name, id));
      sandbox.add(container);
      undo.push("its place in the sandbox", () -> sandbox.remove(container));
      undo.push("the container", container::markRemoved);
      maker.make(undo, container, image, security, spare.map(RootfsPool.Spare::rootfs));
      if (poolable) {
        tools.rootfs().refill(image);
      }
      containers.add(container);
      container.tell(ContainerEvent.Type.CREATED);
      tools.spareTime().starting();
      return container;
    } catch (RuntimeException e) {
      undo.undo(e);
      throw e;
    } finally {
      container.operation.unlock();
    }
  }

  /// Starts a container. If it can not be started it becomes EXITED with reason `StartError`.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it is not CREATED or its sandbox is not READY
  public void start(Container container) {
    start(container, launcher::launch);
  }

  /// Starts a container with the processes of a checkpoint; otherwise as [#start(Container)].
  public void restore(Container container, Restoration restoration) {
    start(container, starting -> launcher.restore(starting, restoration));
  }

  private void start(Container container, Consumer<Container> launch) {
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
        launch.accept(container);
        tools.spareTime().started();
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

  private void startFailed(Container container, int exitCode, String message) {
    StoredExit exit = new StoredExit(exitCode, tools.now(), "StartError", message);
    StoredContainer failed = container.stored().exited(exit);
    container.store(failed);
    tools.cgroups().open(failed.cgroup()).kill();
    tools.store().save(failed);
    container.ended(exit);
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
      Cgroup cgroup = tools.cgroups().open(container.cgroup());
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
      tools.store().save(next);
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
    Cgroup cgroup = tools.cgroups().open(container.cgroup());
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
        tools.cgroups().open(container.cgroup()).kill();
        awaitEnd(container);
      }
      container.release();
      StoredContainer stored = container.stored();
      clean(stored);
      tools.names().release(stored.owner(), name(stored.spec(), stored.sandboxId()), stored.id());
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
    tools.cgroups().open(stored.cgroup()).remove();
    // Nobody waits for it: what a daemon that ends leaves is removed by the next one.
    tools.background().execute(() -> tools.snapshots().remove(id));
    tools.images().release(id);
    try {
      Files.deleteIfExists(tools.exits().resolve(id));
      Files.deleteIfExists(tools.control().resolve(id));
    } catch (IOException e) {
      throw PeapodException.internal("removing the files of " + id + " failed: " + e, e);
    }
    tools.store().delete(id);
  }

  /// Removes whatever there may be of a container that was never finished, or that another boot
  /// had.
  public void discard(StoredContainer stored) {
    if (stored.bootId().equals(BootId.current())) {
      tools.cgroups().open(stored.cgroup()).kill();
    }
    clean(stored);
  }

  /// Takes over a container of a daemon before this one.
  public Container adopt(Sandbox sandbox, StoredContainer stored) {
    Container container = new Container(this, sandbox, stored);
    tools.names().reserve(stored.owner(), name(stored.spec(), stored.sandboxId()), stored.id());
    sandbox.adopt(container);
    containers.add(container);
    exits.adopt(container);
    return container;
  }

  private static String name(ContainerSpec spec, String sandboxId) {
    return spec.name() + "_" + spec.attempt() + "_" + sandboxId;
  }
}
