package dev.peapod.engine.sandbox;

import dev.peapod.cni.AttachRequest;
import dev.peapod.cni.Attachment;
import dev.peapod.cni.Network;
import dev.peapod.engine.cgroup.CgroupEntries;
import dev.peapod.engine.cgroup.ResourceChecks;
import dev.peapod.engine.event.ContainerEvent;
import dev.peapod.engine.event.Events;
import dev.peapod.engine.launch.FailureText;
import dev.peapod.engine.launch.LaunchException;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.launch.Started;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.PodMetadata;
import dev.peapod.engine.model.ResourceSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.state.Ids;
import dev.peapod.engine.state.NameReservations;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredProcess;
import dev.peapod.engine.state.StoredSandbox;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.BootId;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.Open;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Makes, stops and removes sandboxes. Thread-safe; calls block and belong on virtual threads.
public final class SandboxService {
  /// What it works with.
  ///
  /// @param podFiles the directory of the pods' directories
  /// @param networks networks that were made ahead
  /// @param netns the directory that network namespaces are pinned in
  /// @param cgroupParent where pods are placed that name no parent
  public record Tools(
      EventLoop loop,
      Spawner spawner,
      Cgroups cgroups,
      Network network,
      NetworkPool networks,
      StateStore<StoredSandbox> store,
      NameReservations names,
      Path podFiles,
      Path netns,
      String cgroupParent,
      Events events,
      SpareTime spareTime,
      Clock clock) {}

  private static final Logger LOG = System.getLogger(SandboxService.class.getName());
  private static final int SIGKILL = 9;
  private static final long EXIT_SECONDS = 30;

  private final Tools tools;
  private final Sandboxes sandboxes;
  private final PodCgroups podCgroups;

  /// @param sandboxes filled and emptied by this
  public SandboxService(Tools tools, Sandboxes sandboxes) {
    this.tools = tools;
    this.sandboxes = sandboxes;
    this.podCgroups = new PodCgroups(tools.cgroups, tools.spawner, tools.cgroupParent);
  }

  /// Makes a sandbox and answers it, READY. If anything fails, all that was made is undone.
  public Sandbox run(String owner, SandboxSpec spec) {
    SandboxChecks.check(spec);
    // In a user namespace of its own, a pod's network namespace has to belong to that one.
    boolean poolable = spec.network() != NamespaceMode.NODE && spec.userNamespace() == null;
    Optional<NetworkPool.Spare> spare = poolable ? tools.networks.take() : Optional.empty();
    String id = spare.map(NetworkPool.Spare::id).orElseGet(Ids::random);
    String name = spec.metadata().key();
    UndoStack undo = new UndoStack();
    spare.ifPresent(s -> undo.push("the network made ahead", () -> tools.networks.discard(s)));
    try {
      tools.names.reserve(owner, name, id);
      undo.push("the name", () -> tools.names.release(owner, name, id));
      Sandbox sandbox = make(undo, owner, id, spec, spare);
      tools.spareTime.starting();
      if (spare.isPresent()) {
        tools.networks.taken(spare.get());
      } else if (poolable) {
        tools.networks.refill();
      }
      return sandbox;
    } catch (LaunchException e) {
      PeapodException failure =
          FailureText.of("sandbox of pod \"" + spec.metadata().name() + "\"", e).asException(e);
      undo.undo(failure);
      throw failure;
    } catch (RuntimeException e) {
      undo.undo(e);
      throw e;
    }
  }

  private Sandbox make(
      UndoStack undo,
      String owner,
      String id,
      SandboxSpec spec,
      Optional<NetworkPool.Spare> spare) {
    boolean ownNetwork = spec.network() != NamespaceMode.NODE;
    String cgroup = podCgroups.of(spec, id);
    boolean ownCgroup = spec.cgroupParent().isEmpty();
    Path netns = tools.netns.resolve(id);
    StoredSandbox stored =
        new StoredSandbox(
            StoredSandbox.VERSION,
            BootId.current(),
            id,
            owner,
            spec,
            StoredSandbox.Phase.CREATING,
            now(),
            cgroup,
            ownCgroup ? List.of(cgroup) : List.of(),
            ownNetwork ? netns.toString() : "",
            null,
            List.of(),
            spare.isPresent());
    tools.store.save(stored);
    undo.push("the state file", () -> tools.store.delete(id));

    Cgroup podCgroup = tools.cgroups.create(cgroup);
    List<String> levels = ownCgroup ? List.of(cgroup) : podCgroup.created();
    undo.push("the cgroup", () -> removeCgroups(id, levels));
    if (levels.contains(cgroup)) {
      CgroupEntries.apply("sandbox", podCgroup, CgroupEntries.limits(spec.resources()));
    }
    if (!ownCgroup && !levels.isEmpty()) {
      stored = stored.withCreatedCgroups(levels);
      tools.store.save(stored);
    }
    undo.push("pause's cgroup", () -> podCgroups.removeMembers(cgroup, id));
    PodCgroups.Birthplace birthplace = podCgroups.prepare(podCgroup, id);
    undo.push("what pause's cgroup was kept by", birthplace::close);

    String hostname = ownNetwork ? SandboxChecks.hostname(spec) : hostsOwnName();
    CompletableFuture<Started> starting =
        startPause(spec, hostname, birthplace.cgroup(), spare.map(NetworkPool.Spare::netns));
    undo.push("pause", () -> killStarted(starting));
    Path files = tools.podFiles.resolve(id);
    undo.push("the pod's files", () -> SandboxFiles.remove(files));
    SandboxFiles.prepare(files, hostname, spec.dns(), ownNetwork);
    List<String> ips = List.of();
    if (spare.isPresent()) {
      ips = spare.get().ips();
      if (!spec.ports().isEmpty()) {
        tools.network.addPorts(id, spec.ports());
      }
    }
    Started pause = Spawner.await(starting);
    birthplace.close();
    if (ownNetwork && spare.isEmpty()) {
      undo.push("the network namespace's pin", () -> Namespaces.unpin(netns));
      Namespaces.pin(pause.process(), Namespaces.Type.NET, netns);
      undo.push("the network", () -> tools.network.detach(id));
      PodMetadata pod = spec.metadata();
      AttachRequest request =
          new AttachRequest(id, pod.namespace(), pod.name(), pod.uid(), netns, spec.ports());
      ips = attach(request).ips();
    }
    SandboxFiles.writeHosts(files, hostname, ips, ownNetwork);
    UserNamespace users = spec.userNamespace();
    if (users != null) {
      SandboxFiles.give(files, users.uids().first(), users.gids().first());
    }

    StoredProcess process = new StoredProcess(pause.process().pid(), pause.startTime());
    StoredSandbox made = stored.made(process, ips);
    tools.store.save(made);
    Sandbox sandbox = new Sandbox(made, files, Sandbox.State.READY, pause.process());
    tools.events.publish(sandbox, id, ContainerEvent.Type.CREATED);
    tools.events.publish(sandbox, id, ContainerEvent.Type.STARTED);
    sandboxes.add(sandbox);
    undo.clear();
    sandbox.watch(tools.loop, () -> pauseGone(sandbox));
    return sandbox;
  }

  private CompletableFuture<Started> startPause(
      SandboxSpec spec, String hostname, Cgroup cgroup, Optional<Path> netns) {
    Optional<Fd> network = netns.map(path -> Fd.open(path.toString(), Open.RDONLY));
    try {
      return tools.spawner.submit(
          PausePlan.of(spec, hostname, CgroupEntries.of(cgroup), network));
    } finally {
      network.ifPresent(Fd::close);
    }
  }

  /// The operations that a sandbox's pause process was started by, made again of what is on record.
  public List<Operation> plan(Sandbox sandbox) {
    StoredSandbox stored = sandbox.stored();
    SandboxSpec spec = stored.spec();
    boolean ownNetwork = spec.network() != NamespaceMode.NODE;
    try (Fd stand = Fd.open("/", Open.PATH)) {
      return PausePlan.of(
              spec,
              ownNetwork ? SandboxChecks.hostname(spec) : hostsOwnName(),
              CgroupEntries.of(tools.cgroups.open(podCgroups.ofPause(stored.cgroup(), stored.id()))),
              Boolean.TRUE.equals(stored.joined()) ? Optional.of(stand) : Optional.empty())
          .operations();
    }
  }

  private Attachment attach(AttachRequest request) {
    try {
      return tools.network.attach(request);
    } catch (PeapodException e) {
      if (e.kind() == Kind.RESOURCE_EXHAUSTED && tools.networks.drain()) {
        return tools.network.attach(request);
      }
      throw e;
    }
  }

  /// Changes where the pods' addresses come from, as [Network#changeRange(String)].
  public boolean changeRange(String cidr) {
    return tools.networks.empty(() -> tools.network.changeRange(cidr));
  }

  /// Takes over a sandbox of a daemon before this one.
  ///
  /// @param pause the pause process, if it lives
  public Sandbox adopt(StoredSandbox stored, Optional<Pidfd> pause) {
    boolean ready = pause.isPresent() && stored.phase() == StoredSandbox.Phase.MADE;
    Sandbox.State state = ready ? Sandbox.State.READY : Sandbox.State.NOT_READY;
    Path files = tools.podFiles.resolve(stored.id());
    Sandbox sandbox = new Sandbox(stored, files, state, pause.orElse(null));
    tools.names.reserve(stored.owner(), stored.spec().metadata().key(), stored.id());
    sandboxes.add(sandbox);
    return sandbox;
  }

  /// Begins to watch an adopted sandbox, once its containers are there.
  public void watchAdopted(Sandbox sandbox) {
    sandbox.watch(tools.loop, () -> pauseGone(sandbox));
  }

  /// Changes what a pod may use, from now on; what `update` does not set stays as it is.
  ///
  /// @throws PeapodException INVALID naming the field, FAILED_PRECONDITION if it is not READY or uses
  ///     more memory than that; nothing is changed then
  public void update(Sandbox sandbox, ResourceSpec update) {
    sandbox.ending.lock();
    try {
      sandbox.pause();
      SandboxSpec spec = sandbox.spec();
      ResourceSpec after = spec.resources().updatedBy(update);
      ResourceChecks.check("sandbox", after);
      CgroupEntries.apply(
          "sandbox",
          tools.cgroups.open(sandbox.cgroup()),
          CgroupEntries.limits(spec.resources(), update));
      StoredSandbox next = sandbox.stored().with(spec.with(after));
      tools.store.save(next);
      sandbox.store(next);
    } finally {
      sandbox.ending.unlock();
    }
  }

  /// Kills all of its containers, takes its network back and ends its pause process. Doing it again
  /// does nothing.
  public void stop(Sandbox sandbox) {
    sandbox.ending.lock();
    try {
      if (sandbox.state() == Sandbox.State.REMOVED
          || sandbox.stored().phase() == StoredSandbox.Phase.STOPPED) {
        return;
      }
      leaveReady(sandbox);
      List<? extends CompletableFuture<?>> ends =
          sandbox.members().stream().map(Member::kill).toList();
      for (CompletableFuture<?> end : ends) {
        await(end, "a container of sandbox " + sandbox.id());
      }
      StoredSandbox stored = sandbox.stored();
      if (!stored.netns().isEmpty()) {
        Path netns = Path.of(stored.netns());
        tools.network.detach(sandbox.id());
        Namespaces.unpin(netns);
      }
      sandbox.killPause();
      await(sandbox.pauseExited, "the pause process of sandbox " + sandbox.id());
      StoredSandbox stopped = stored.with(StoredSandbox.Phase.STOPPED);
      tools.store.save(stopped);
      sandbox.store(stopped);
    } finally {
      sandbox.ending.unlock();
    }
  }

  /// Stops a sandbox and removes it with all its containers and all that belongs to it. Doing it
  /// again does nothing.
  public void remove(Sandbox sandbox) {
    sandbox.ending.lock();
    try {
      if (sandbox.state() == Sandbox.State.REMOVED) {
        return;
      }
      stop(sandbox);
      sandbox.members().forEach(Member::remove);
      StoredSandbox stored = sandbox.stored();
      podCgroups.removeMembers(stored.cgroup(), stored.id());
      removeCgroups(stored.id(), stored.createdCgroups());
      SandboxFiles.remove(sandbox.files());
      tools.store.delete(stored.id());
      tools.names.release(stored.owner(), stored.spec().metadata().key(), stored.id());
      sandboxes.remove(sandbox);
      sandbox.removed();
      tools.events.publish(sandbox, sandbox.id(), ContainerEvent.Type.DELETED);
    } finally {
      sandbox.ending.unlock();
    }
  }

  /// Removes whatever there may be of a sandbox that was never finished, or that another boot had.
  public void discard(StoredSandbox stored) {
    UndoStack steps = new UndoStack();
    String id = stored.id();
    steps.push("the state file", () -> tools.store.delete(id));
    steps.push("the pod's files", () -> SandboxFiles.remove(tools.podFiles.resolve(id)));
    steps.push("the cgroup", () -> removeCgroups(stored.id(), stored.createdCgroups()));
    steps.push("pause's cgroup", () -> podCgroups.removeMembers(stored.cgroup(), id));
    if (!stored.netns().isEmpty()) {
      Path netns = Path.of(stored.netns());
      steps.push("the network namespace's pin", () -> Namespaces.unpin(netns));
      steps.push("the network", () -> tools.network.detach(id));
    }
    if (stored.bootId().equals(BootId.current())) {
      steps.push("its processes", () -> killUnrecorded(stored));
    }
    RuntimeException failures = new RuntimeException("discarding sandbox " + id);
    steps.undo(failures);
  }

  /// Removes what is there of sandboxes that have no state file, because that could not be read.
  public void discardStrays() {
    List<Path> strays = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(tools.podFiles)) {
      found.forEach(strays::add);
    } catch (IOException e) {
      throw PeapodException.internal("looking through " + tools.podFiles + " failed: " + e, e);
    }
    for (Path files : strays) {
      String id = files.getFileName().toString();
      if (sandboxes.byId(id).isEmpty()) {
        LOG.log(Level.WARNING, "sandbox {0} has no state file that can be read; removing it", id);
        String cgroup = podCgroups.ofNoParent(id);
        UndoStack steps = new UndoStack();
        steps.push("the pod's files", () -> SandboxFiles.remove(files));
        steps.push("the cgroup", () -> tools.cgroups.open(cgroup).remove());
        steps.push("the namespace's pin", () -> Namespaces.unpin(tools.netns.resolve(id)));
        steps.push("the network", () -> tools.network.detach(id));
        steps.push("its processes", () -> tools.cgroups.open(cgroup).kill());
        steps.undo(new RuntimeException("discarding sandbox " + id));
      }
    }
  }

  /// Kills the pause process of a sandbox that was being made when the daemon died, whose number
  /// nobody knows.
  private void killUnrecorded(StoredSandbox stored) {
    if (stored.spec().cgroupParent().isEmpty()) {
      tools.cgroups.open(stored.cgroup()).kill();
      return;
    }
    // The group may hold others' processes: only pause programs that no sandbox has are meant.
    String cgroup = podCgroups.ofPause(stored.cgroup(), stored.id());
    for (int pid : tools.cgroups.open(cgroup).processes()) {
      boolean known =
          sandboxes.all().stream()
              .anyMatch(s -> s.stored().pause() != null && s.stored().pause().pid() == pid);
      Optional<Pidfd> process = known ? Optional.empty() : Pidfd.open(pid);
      if (process.isPresent()) {
        try (Pidfd p = process.get()) {
          if (isPause(pid)) {
            p.signal(SIGKILL);
          }
        }
      }
    }
  }

  private static boolean isPause(int pid) {
    try {
      Path exe = Files.readSymbolicLink(Path.of("/proc/" + pid + "/exe"));
      return exe.toString().startsWith("/memfd:pause");
    } catch (IOException e) {
      return false;
    }
  }

  private boolean leaveReady(Sandbox sandbox) {
    return sandbox.leaveReady(
        () -> tools.events.publish(sandbox, sandbox.id(), ContainerEvent.Type.STOPPED));
  }

  private void pauseGone(Sandbox sandbox) {
    if (leaveReady(sandbox)) {
      Thread.startVirtualThread(() -> sandbox.members().forEach(Member::kill));
    }
  }

  private void killStarted(CompletableFuture<Started> starting) {
    Started started;
    try {
      started = Spawner.await(starting);
    } catch (LaunchException | PeapodException e) {
      return;
    }
    CompletableFuture<Void> exited = new CompletableFuture<>();
    try (Pidfd process = started.process();
        EventLoop.Registration watch = process.onExit(tools.loop, () -> exited.complete(null))) {
      process.signal(SIGKILL);
      await(exited, "a pause process");
    }
  }

  /// Removes the levels that were made for a pod, innermost first; one that others use is left.
  private void removeCgroups(String id, List<String> levels) {
    for (String level : levels.reversed()) {
      boolean used =
          sandboxes.all().stream()
              .anyMatch(s -> !s.id().equals(id) && (s.cgroup() + "/").startsWith(level + "/"));
      if (used || !tools.cgroups.open(level).remove()) {
        return;
      }
    }
  }

  private static void await(CompletableFuture<?> end, String what) {
    try {
      end.get(EXIT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new PeapodException(
          Kind.INTERNAL, what + " was killed and did not end within " + EXIT_SECONDS + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    } catch (ExecutionException e) {
      throw PeapodException.internal("waiting for " + what + " failed: " + e.getCause(), e);
    }
  }

  private long now() {
    Instant t = tools.clock.instant();
    return t.getEpochSecond() * 1_000_000_000L + t.getNano();
  }

  private static String hostsOwnName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      throw PeapodException.internal("reading the host's name failed: " + e, e);
    }
  }
}
