package dev.peapod.engine;

import dev.peapod.cni.Network;
import dev.peapod.cni.NetworkList;
import dev.peapod.engine.checkpoint.Checkpoints;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerService;
import dev.peapod.engine.container.ContainerTools;
import dev.peapod.engine.container.Containers;
import dev.peapod.engine.container.RootfsPool;
import dev.peapod.engine.event.Events;
import dev.peapod.engine.exec.ExecService;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.port.Holders;
import dev.peapod.engine.port.StoredHolder;
import dev.peapod.engine.sandbox.NetworkPool;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.sandbox.SandboxService;
import dev.peapod.engine.sandbox.Sandboxes;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.NameReservations;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredNetwork;
import dev.peapod.engine.state.StoredSandbox;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.engine.stream.Monitors;
import dev.peapod.image.ImageStore;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Inotify;
import dev.peapod.linux.cgroup.Cgroups;
import dev.peapod.linux.netlink.IpPrefix;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Sandboxes and containers of all owners on this machine.
///
/// What it started lives on without it: [#start] takes over what a daemon before it left, and
/// [#close] leaves everything running. Thread-safe.
public final class Engine implements AutoCloseable {
  private final StateDirectories directories;
  private final Cgroups cgroups;
  private final RootCgroup rootCgroup;
  private final Spawner spawner;
  private final Network network;
  private final Inotify inotify;
  private final Sandboxes sandboxes = new Sandboxes();
  private final Containers containers = new Containers();
  private final ContainerSecurity security = new ContainerSecurity();
  private final SandboxService sandboxService;
  private final ContainerService containerService;
  private final ExecService execService;
  private final Checkpoints checkpoints;
  private final List<StateStore<?>> stores;
  private final NetworkPool networks;
  private final RootfsPool rootfsPool;
  private final Monitors monitors;
  private final Events events;
  private final EventLoop loop;
  private final ExecutorService background;

  private Engine(
      StateDirectories directories,
      Cgroups cgroups,
      RootCgroup rootCgroup,
      Spawner spawner,
      Network network,
      Inotify inotify,
      SandboxService.Tools sandboxTools,
      ExecutorService background,
      Events events,
      EventLoop loop,
      ImageStore images,
      Snapshots snapshots,
      RootfsPool rootfsPool,
      NameReservations names,
      StateStore<StoredContainer> containerStore,
      SpareTime spareTime) {
    this.directories = directories;
    this.cgroups = cgroups;
    this.rootCgroup = rootCgroup;
    this.spawner = spawner;
    this.network = network;
    this.inotify = inotify;
    this.stores = List.of(sandboxTools.store(), containerStore);
    this.networks = sandboxTools.networks();
    this.rootfsPool = rootfsPool;
    this.background = background;
    this.events = events;
    this.sandboxService = new SandboxService(sandboxTools, sandboxes);
    ContainerTools containerTools =
        new ContainerTools(
            loop,
            spawner,
            cgroups,
            images,
            snapshots,
            rootfsPool,
            containerStore,
            names,
            security,
            directories.exits(),
            directories.control(),
            events,
            background,
            spareTime,
            Clock.systemUTC());
    this.containerService = new ContainerService(containerTools, containers);
    this.checkpoints = new Checkpoints(containerTools, containerService, sandboxService);
    this.execService = new ExecService(loop, spawner, cgroups, security);
    this.monitors = new Monitors(loop, directories.control());
    this.loop = loop;
  }

  /// Starts an engine: every live sandbox and container is taken over, what was half-made or
  /// belongs to another boot is removed, and nothing else is touched.
  ///
  /// @param loop outlives the engine
  /// @param networks what the pods' network is made of
  public static Engine start(
      EngineConfig config,
      EventLoop loop,
      ImageStore images,
      Snapshots snapshots,
      NetworkList networks) {
    UndoStack undo = new UndoStack();
    try {
      StateDirectories directories = StateDirectories.make(config);
      Cgroups cgroups = config.cgroupDriver().open();
      String cgroupParent = config.cgroupDriver().path(config.cgroupParent());
      Spawner spawner = Spawner.start(loop, config.programs());
      undo.push("the spawner", spawner::close);
      RootCgroup rootCgroup = RootCgroup.make(cgroups, cgroupParent, directories);
      Holders holders =
          new Holders(
              loop,
              spawner,
              new StateStore<>(
                  directories.holders(),
                  directories.aside(),
                  StoredHolder.class,
                  StoredHolder::sandboxId));
      Network network = Network.open(networks, config.state(), holders);
      undo.push("the network", network::close);
      Inotify inotify = new Inotify(loop);
      undo.push("the watch of exits", inotify::close);
      ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();
      undo.push("background work", background::close);
      SpareTime spareTime = new SpareTime(background);
      NetworkPool networkPool =
          new NetworkPool(
              new NetworkPool.Tools(
                  network,
                  new StateStore<>(
                      directories.networks(),
                      directories.aside(),
                      StoredNetwork.class,
                      StoredNetwork::id),
                  config.netns(),
                  config.spares(),
                  background,
                  spareTime));
      NameReservations names = new NameReservations();
      Events events = new Events(Clock.systemUTC());
      StateStore<StoredSandbox> sandboxStore =
          new StateStore<>(
              directories.sandboxes(), directories.aside(), StoredSandbox.class, StoredSandbox::id);
      StateStore<StoredContainer> containerStore =
          new StateStore<>(
              directories.containers(),
              directories.aside(),
              StoredContainer.class,
              StoredContainer::id);
      Engine engine =
          new Engine(
              directories,
              cgroups,
              rootCgroup,
              spawner,
              network,
              inotify,
              new SandboxService.Tools(
                  loop,
                  spawner,
                  cgroups,
                  network,
                  networkPool,
                  sandboxStore,
                  names,
                  directories.pods(),
                  config.netns(),
                  cgroupParent,
                  events,
                  spareTime,
                  Clock.systemUTC()),
              background,
              events,
              loop,
              images,
              snapshots,
              new RootfsPool(snapshots, config.spares(), spareTime),
              names,
              containerStore,
              spareTime);
      engine.watchExits();
      new Adoption(
              engine.sandboxService,
              engine.containerService,
              engine.sandboxes,
              engine.containers,
              holders,
              network,
              networkPool,
              images,
              snapshots,
              directories.exits())
          .run(sandboxStore.load(), containerStore.load());
      engine.checkpoints.clean();
      return engine;
    } catch (RuntimeException e) {
      undo.undo(e);
      throw e;
    }
  }

  private void watchExits() {
    inotify.watch(
        directories.exits(),
        Inotify.MOVED_TO,
        (events, name) -> {
          if ((events & Inotify.OVERFLOW) != 0) {
            containers.all().forEach(containerService.exits()::hint);
          } else {
            containers.byId(name).ifPresent(containerService.exits()::hint);
          }
        });
  }

  /// Makes ready what the first container would otherwise wait for.
  public void prepare() {
    stores.forEach(StateStore::prepare);
    security.prepare();
  }

  /// What an owner, such as `kubelet` or `pods`, sees.
  public PodRuntime owner(String name) {
    return new PodRuntime(
        name,
        loop,
        sandboxes,
        containers,
        sandboxService,
        containerService,
        execService,
        checkpoints,
        monitors,
        events,
        cgroups);
  }

  /// How many sandboxes there are, of all owners.
  public int sandboxCount() {
    return sandboxes.all().size();
  }

  /// The machine's own address on the pods' built-in network, with the length of their range; empty where CNI
  /// configurations say what the network is.
  public Optional<IpPrefix> gateway() {
    return network.gateway();
  }

  /// The machine's cgroups.
  public Cgroups cgroups() {
    return cgroups;
  }

  /// Ends the engine. Everything that runs is left as it is; if there is no sandbox at all,
  /// network, cgroup and directories go too, and the machine is as before.
  @Override
  public void close() {
    UndoStack steps = new UndoStack();
    boolean unused = sandboxes.all().isEmpty();
    if (unused) {
      steps.push("the state directories", directories::remove);
    }
    steps.push("background work", background::close);
    steps.push("the seccomp programs", security::close);
    steps.push("the spawner", spawner::close);
    steps.push("the network", network::close);
    if (unused) {
      steps.push("the cgroup", rootCgroup::remove);
      steps.push("the pods' network", network::shutdownIfUnused);
    }
    steps.push("networks made ahead", networks::close);
    steps.push("root filesystems made ahead", rootfsPool::close);
    steps.push("the sandboxes", () -> sandboxes.all().forEach(Sandbox::release));
    steps.push("the containers", () -> containers.all().forEach(Container::release));
    steps.push("the watch of exits", inotify::close);
    RuntimeException failures = new RuntimeException("closing the engine");
    steps.undo(failures);
    if (failures.getSuppressed().length > 0) {
      throw failures;
    }
  }
}
