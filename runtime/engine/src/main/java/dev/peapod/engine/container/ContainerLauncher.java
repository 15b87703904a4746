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
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.ProcessIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Starts containers: turns what is known of one into a launch plan and has it carried out.
final class ContainerLauncher {
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
    StoredContainer stored = container.stored();
    Fd kept = container.takeRootfs();
    try (Fd rootfs = kept == null ? files.mountRootfs(container.sandbox(), stored) : kept) {
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
                    rootfs, container.sandbox().pause().fd(), target, users, images));
        long before = tools.now();
        started(container, tools.spawner().launch(plan), before);
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
