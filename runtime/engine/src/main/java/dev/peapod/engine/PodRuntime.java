package dev.peapod.engine;

import dev.peapod.engine.checkpoint.Checkpoints;
import dev.peapod.engine.container.Container;
import dev.peapod.engine.container.ContainerService;
import dev.peapod.engine.container.Containers;
import dev.peapod.engine.event.Events;
import dev.peapod.engine.exec.ExecService;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.ExecResult;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.engine.sandbox.Member;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.sandbox.SandboxService;
import dev.peapod.engine.sandbox.Sandboxes;
import dev.peapod.engine.stream.Monitors;
import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.engine.stream.StreamSession;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KeptFiles;
import dev.peapod.linux.NetworkCounters;
import dev.peapod.linux.cgroup.CgroupDriver;
import dev.peapod.linux.cgroup.CgroupStats;
import dev.peapod.linux.cgroup.Cgroups;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/// The engine as one owner sees it: only that owner's sandboxes and containers are there.
///
/// Ids may be shortened as long as one of the owner's begins so. Thread-safe; calls block and
/// belong on virtual threads. Errors are [PeapodException]s.
public final class PodRuntime {
  private final String owner;
  private final Sandboxes sandboxes;
  private final Containers containers;
  private final SandboxService sandboxService;
  private final ContainerService containerService;
  private final ExecService execService;
  private final Checkpoints checkpoints;
  private final Monitors monitors;
  private final EventLoop loop;
  private final Events events;
  private final Cgroups cgroups;

  PodRuntime(
      String owner,
      EventLoop loop,
      Sandboxes sandboxes,
      Containers containers,
      SandboxService sandboxService,
      ContainerService containerService,
      ExecService execService,
      Checkpoints checkpoints,
      Monitors monitors,
      Events events,
      Cgroups cgroups) {
    this.owner = owner;
    this.sandboxes = sandboxes;
    this.containers = containers;
    this.sandboxService = sandboxService;
    this.containerService = containerService;
    this.execService = execService;
    this.checkpoints = checkpoints;
    this.monitors = monitors;
    this.loop = loop;
    this.events = events;
    this.cgroups = cgroups;
  }

  /// The owner's name.
  public String owner() {
    return owner;
  }

  /// Whose the machine's cgroups are.
  public CgroupDriver cgroupDriver() {
    return cgroups.driver();
  }

  /// Changes where the addresses of new pods come from.
  ///
  /// @return false if a CNI configuration tells that, so that nothing was changed
  /// @throws PeapodException INVALID if that is no IPv4 network, FAILED_PRECONDITION if pods have addresses of another
  public boolean changePodRange(String cidr) {
    return sandboxService.changeRange(cidr);
  }

  /// Makes a sandbox: answers its id once it is READY.
  public String runSandbox(SandboxSpec spec) {
    return sandboxService.run(owner, spec).id();
  }

  /// Changes what a sandbox's containers may use together.
  ///
  /// @throws PeapodException INVALID or FAILED_PRECONDITION, and nothing is changed
  public void updateSandbox(String id, ResourceSpec update) {
    sandboxService.update(sandboxes.get(owner, id), update);
  }

  /// Kills a sandbox's containers and takes its network back. Succeeds if there is no such sandbox.
  public void stopSandbox(String id) {
    sandboxes.find(owner, id).ifPresent(sandboxService::stop);
  }

  /// Removes a sandbox with all that belongs to it. Succeeds if there is no such sandbox.
  public void removeSandbox(String id) {
    sandboxes.find(owner, id).ifPresent(sandboxService::remove);
  }

  /// How a sandbox is.
  ///
  /// @throws PeapodException NOT_FOUND
  public SandboxStatus sandbox(String id) {
    return sandboxes.get(owner, id).status();
  }

  /// All sandboxes, in no order.
  public List<SandboxStatus> sandboxes() {
    return sandboxes.list(owner).stream().map(Sandbox::status).toList();
  }

  /// Makes a container and answers its id.
  ///
  /// @throws PeapodException NOT_FOUND if there is no such sandbox or image
  public String createContainer(String sandboxId, ContainerSpec spec) {
    return containerService.create(sandboxes.get(owner, sandboxId), spec).id();
  }

  /// Starts a container; answers once its program has been executed.
  ///
  /// @throws PeapodException saying why it could not be started; the container is EXITED then
  public void startContainer(String id) {
    containerService.start(containers.get(owner, id));
  }

  /// Changes what a container may use.
  ///
  /// @throws PeapodException INVALID or FAILED_PRECONDITION, and nothing is changed
  public void updateContainer(String id, ResourceSpec update) {
    containerService.update(containers.get(owner, id), update);
  }

  /// Asks a container to end and kills it after the grace. Succeeds if there is no such container
  /// or it does not run.
  public void stopContainer(String id, Duration grace) {
    containers.find(owner, id).ifPresent(c -> containerService.stop(c, grace));
  }

  /// Kills and removes a container. Succeeds if there is no such container.
  public void removeContainer(String id) {
    containers.find(owner, id).ifPresent(containerService::remove);
  }

  /// How a container is.
  ///
  /// @throws PeapodException NOT_FOUND
  public ContainerStatus container(String id) {
    return containers.get(owner, id).status();
  }

  /// All containers, in no order.
  public List<ContainerStatus> containers() {
    return containers.list(owner).stream().map(Container::status).toList();
  }

  /// The launch plan of a container's main process, and with it all that it is given: also its environment.
  ///
  /// @throws PeapodException NOT_FOUND
  public List<Operation> containerPlan(String id) {
    return containerService.plan(containers.get(owner, id));
  }

  /// The launch plan of a sandbox's pause process.
  ///
  /// @throws PeapodException NOT_FOUND
  public List<Operation> sandboxPlan(String id) {
    return sandboxService.plan(sandboxes.get(owner, id));
  }

  /// The containers of a sandbox, in no order.
  ///
  /// @throws PeapodException NOT_FOUND
  public List<ContainerStatus> containersOf(String sandboxId) {
    return sandboxes.get(owner, sandboxId).members().stream().map(Member::status).toList();
  }

  /// Runs a command in a container to its end.
  ///
  /// @param timeout zero: none
  public ExecResult exec(String id, List<String> command, Duration timeout) {
    return execService.run(containers.get(owner, id), command, timeout);
  }

  /// Begins to listen to what happens to this owner's sandboxes and containers; the caller closes it.
  public Events.Listener listen() {
    return events.listen(owner);
  }

  /// What a container uses now; empty where it does not run.
  ///
  /// @throws PeapodException NOT_FOUND
  public Optional<CgroupStats> containerUsage(String id) {
    Container container = containers.get(owner, id);
    return container.state() == ContainerState.RUNNING
        ? usage(container.cgroup(), container.usage())
        : Optional.empty();
  }

  /// What all of a pod uses now; empty where it is not READY.
  ///
  /// @throws PeapodException NOT_FOUND
  public Optional<CgroupStats> sandboxUsage(String id) {
    Sandbox sandbox = sandboxes.get(owner, id);
    return sandbox.isReady() ? usage(sandbox.cgroup(), sandbox.usage()) : Optional.empty();
  }

  private Optional<CgroupStats> usage(String cgroup, KeptFiles files) {
    return unlessGone(
        () -> Optional.of(cgroups.open(cgroup).stats(files::read)), Optional.empty());
  }

  /// The processes and threads of a container; empty where it does not run or the kernel does not count them.
  ///
  /// @throws PeapodException NOT_FOUND
  public OptionalLong containerThreads(String id) {
    Container container = containers.get(owner, id);
    return container.state() == ContainerState.RUNNING
        ? threads(container.cgroup(), container.usage())
        : OptionalLong.empty();
  }

  /// The processes and threads of all of a pod; empty where it is not READY or the kernel does not count them.
  ///
  /// @throws PeapodException NOT_FOUND
  public OptionalLong sandboxThreads(String id) {
    Sandbox sandbox = sandboxes.get(owner, id);
    return sandbox.isReady()
        ? threads(sandbox.cgroup(), sandbox.usage())
        : OptionalLong.empty();
  }

  private OptionalLong threads(String cgroup, KeptFiles files) {
    return unlessGone(() -> cgroups.open(cgroup).threads(files::read), OptionalLong.empty());
  }

  /// What is read of a cgroup, or `gone` where its end came in between.
  private static <T> T unlessGone(Supplier<T> read, T gone) {
    try {
      return read.get();
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
        return gone;
      }
      throw e;
    }
  }

  /// The interfaces of a pod with a network of its own; none where it is not READY.
  ///
  /// @throws PeapodException NOT_FOUND
  public List<NetworkCounters> interfaces(String sandboxId) {
    SandboxStatus sandbox = sandboxes.get(owner, sandboxId).status();
    if (sandbox.pid() == 0 || sandbox.netns().isEmpty()) {
      return List.of();
    }
    try {
      return NetworkCounters.of(sandbox.pid());
    } catch (KernelException e) {
      return List.of();
    }
  }

  /// Says why a command could not be executed in a container, as far as that is known without trying.
  ///
  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION if the container does not run, INVALID if it
  ///     is no command
  public void checkExec(String id, List<String> command) {
    Container container = containers.get(owner, id);
    ExecService.check(container, command);
    container.mainProcess().close();
  }

  /// Starts a command in a container and answers its streams, which the caller closes.
  public StreamSession startExec(String id, List<String> command, StreamOptions options) {
    return execService.start(containers.get(owner, id), command, options);
  }

  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION if the container does not run
  public void checkRunning(String id) {
    containers.get(owner, id).mainProcess().close();
  }

  /// Attaches to the main process of a container; the caller closes the streams.
  public StreamSession attach(String id, StreamOptions options) {
    return monitors.attach(containers.get(owner, id), options);
  }

  /// Has a container's log opened anew by its path.
  ///
  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION if the container does not run
  public void reopenLog(String id) {
    monitors.reopenLog(containers.get(owner, id));
  }

  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION if the sandbox is not READY
  public void checkReady(String sandboxId) {
    sandboxes.get(owner, sandboxId).pause();
  }

  /// Saves a container, which goes on running, to an archive.
  ///
  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION saying why it can not be saved
  public void saveContainer(String id, Path location, Duration timeout) {
    checkpoints.save(containers.get(owner, id), location, timeout);
  }

  /// Saves a pod, which goes on running, to an archive.
  ///
  /// @param containerIds which of its containers; none for all that run
  /// @throws PeapodException NOT_FOUND, FAILED_PRECONDITION saying why it can not be saved
  public void saveSandbox(
      String sandboxId, List<String> containerIds, Path location, Duration timeout) {
    Sandbox sandbox = sandboxes.get(owner, sandboxId);
    sandbox.pause();
    List<Container> chosen =
        containerIds.isEmpty()
            ? containers.list(owner).stream()
                .filter(c -> c.sandbox() == sandbox && c.state() == ContainerState.RUNNING)
                .toList()
            : containerIds.stream().map(id -> containers.get(owner, id)).distinct().toList();
    for (Container container : chosen) {
      if (container.sandbox() != sandbox) {
        throw PeapodException.invalid(
            container.title() + " is not in sandbox " + sandbox.id());
      }
    }
    checkpoints.save(sandbox, chosen, location, timeout);
  }

  /// Makes a pod from an archive that [#saveSandbox] made: its containers go on where they were saved.
  ///
  /// @param specs the containers, at least one
  /// @throws PeapodException saying why it can not be restored; nothing is left of it then
  public RestoredPod restorePod(Path archive, SandboxSpec sandbox, List<ContainerSpec> specs) {
    List<Container> restored =
        checkpoints.restore(archive, sandbox, () -> sandboxService.run(owner, sandbox), specs);
    return new RestoredPod(
        restored.getFirst().sandbox().id(), restored.stream().map(Container::status).toList());
  }

  /// A pod that was made from an archive.
  public record RestoredPod(String sandboxId, List<ContainerStatus> containers) {}

  /// Connects to a port of a pod's own loopback address, IPv4 or else IPv6. The socket, which the caller
  /// closes, does not block.
  ///
  /// @throws PeapodException UNAVAILABLE if nothing listens there
  public Fd connect(String sandboxId, int port) {
    return PodPorts.connect(loop, sandboxes.get(owner, sandboxId), port);
  }
}
