package dev.peapod.engine.container;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Started;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.BootId;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.ProcessIdentity;
import dev.peapod.linux.cgroup.Cgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Starts containers: turns what is known of one into a launch plan and has it carried out.
final class ContainerLauncher {
  private static final long MONITOR_SECONDS = 10;

  private final ContainerTools tools;
  private final Containers containers;
  private final ContainerFiles files;
  private final ContainerPlans plans;
  private final Exits exits;

  ContainerLauncher(
      ContainerTools tools,
      Containers containers,
      ContainerFiles files,
      ContainerPlans plans,
      Exits exits) {
    this.tools = tools;
    this.containers = containers;
    this.files = files;
    this.plans = plans;
    this.exits = exits;
  }

  /// Starts a container that is CREATED.
  ///
  /// @throws dev.peapod.engine.launch.LaunchException if a step of its plan failed; nothing of it is left then
  void launch(Container container) {
    launch(container, Optional.empty());
  }

  /// Starts a container that is CREATED with the processes of a checkpoint.
  void restore(Container container, Restoration restoration) {
    Fd unused = container.takeRootfs();
    if (unused != null) {
      unused.close();
    }
    restoration.fill(files.upper(container.stored()));
    launch(container, Optional.of(restoration));
  }

  private void launch(Container container, Optional<Restoration> restored) {
    StoredContainer stored = container.stored();
    Fd kept = container.takeRootfs();
    try (Fd rootfs = kept == null ? files.mountRootfs(container) : kept) {
      container.logPath().ifPresent(ContainerLauncher::makeDirectory);
      List<Fd> held = new ArrayList<>();
      try (ContainerSecurity.Grant security =
          tools.security().grant(stored.spec(), container.security())) {
        Optional<Fd> target = target(container);
        target.ifPresent(held::add);
        Optional<Fd> users = users(container.sandbox());
        users.ifPresent(held::add);
        List<Fd> images = files.imageMounts(container);
        held.addAll(images);
        LaunchPlan plan =
            plans.of(
                container,
                security,
                new ContainerPlans.Given(
                    rootfs, container.sandbox().pause().fd(), target, users, images),
                restored);
        long before = tools.now();
        Started started = tools.spawner().launch(plan);
        if (restored.isPresent()) {
          accept(container, restored.get(), started);
        }
        started(container, started, before);
      } finally {
        held.forEach(Fd::close);
      }
    }
  }

  /// Lets processes that were restored, and are stopped yet, go on, if they are no more than the request lets them be.
  private void accept(Container container, Restoration restoration, Started started) {
    Cgroup cgroup = tools.cgroups().open(container.cgroup());
    try {
      restoration.accept(container, started.process().pid(), cgroup.processes());
    } catch (RuntimeException e) {
      started.process().close();
      cgroup.kill();
      awaitMonitor(started);
      throw e;
    }
  }

  /// Waits until a monitor has ended, which writes its record until then.
  private void awaitMonitor(Started started) {
    Optional<Pidfd> found =
        new ProcessIdentity(started.monitorPid(), started.monitorStartTime(), BootId.current())
            .open();
    if (found.isEmpty()) {
      return;
    }
    CompletableFuture<Void> ended = new CompletableFuture<>();
    try (Pidfd monitor = found.get();
        EventLoop.Registration watch = monitor.onExit(tools.loop(), () -> ended.complete(null))) {
      ended.orTimeout(MONITOR_SECONDS, TimeUnit.SECONDS).handle((done, late) -> null).join();
    }
  }

  /// @param at a time that is not after the start, so that no end seems to be before it
  private void started(Container container, Started started, long at) {
    StoredProcess main = new StoredProcess(started.process().pid(), started.startTime());
    StoredProcess monitor = new StoredProcess(started.monitorPid(), started.monitorStartTime());
    StoredContainer next = container.stored().started(main, monitor, at);
    tools.store().save(next);
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

  /// The user namespace of a pod that has one of its own.
  private static Optional<Fd> users(Sandbox sandbox) {
    return Optional.ofNullable(sandbox.spec().userNamespace())
        .map(own -> Namespaces.open(sandbox.pause(), Namespaces.Type.USER));
  }
}
