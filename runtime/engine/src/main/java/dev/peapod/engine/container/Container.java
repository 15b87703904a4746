package dev.peapod.engine.container;

import dev.peapod.engine.event.ContainerEvent;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.UserIds;
import dev.peapod.engine.sandbox.Member;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.engine.state.ResolvedProcess;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.engine.state.StoredContainer;
import dev.peapod.engine.state.StoredExit;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KeptFiles;
import dev.peapod.linux.Pidfd;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A container; its states are those of [ContainerState].
///
/// Starting and removing are serialised by [#operation], held as long as they take; the fields
/// change under the object's monitor, held for moments.
public final class Container implements Member {
  final ReentrantLock operation = new ReentrantLock();
  final CompletableFuture<StoredExit> exited = new CompletableFuture<>();

  /// What was told last, and what it was made of.
  private record Shown(
      StoredContainer stored,
      ContainerState state,
      @Nullable StoredExit exit,
      ContainerStatus status) {}

  private final Sandbox sandbox;
  private final ContainerService service;
  private volatile @Nullable Shown shown;
  private volatile StoredContainer stored;
  private volatile ContainerState state;
  private volatile @Nullable StoredExit exit;
  private volatile boolean removed;
  private volatile long oomKillsBefore;
  private final KeptFiles usage = new KeptFiles();
  private @Nullable Fd rootfs;
  private @Nullable Pidfd main;
  private @Nullable Pidfd monitor;
  private EventLoop.@Nullable Registration monitorExit;

  Container(ContainerService service, Sandbox sandbox, StoredContainer stored) {
    this.service = service;
    this.sandbox = sandbox;
    this.stored = stored;
    this.state = ContainerState.CREATED;
  }

  @Override
  public String id() {
    return stored.id();
  }

  /// Whose it is.
  public String owner() {
    return stored.owner();
  }

  /// The sandbox that it is in.
  public Sandbox sandbox() {
    return sandbox;
  }

  /// Its cgroup.
  public String cgroup() {
    return stored.cgroup();
  }

  /// What is on disk of it.
  StoredContainer stored() {
    return stored;
  }

  /// What it runs.
  public ResolvedProcess process() {
    ResolvedProcess process = stored.process();
    if (process == null) {
      throw new IllegalStateException("container " + id() + " is still being made");
    }
    return process;
  }

  /// What its security was made of.
  public ResolvedSecurity security() {
    ResolvedSecurity security = stored.security();
    return security == null ? ResolvedSecurity.NONE : security;
  }

  /// Its state.
  public ContainerState state() {
    return state;
  }

  boolean isRemoved() {
    return removed;
  }

  void store(StoredContainer next) {
    stored = next;
  }

  /// `container "web"`, for messages.
  public String title() {
    return "container \"" + stored.spec().name() + "\"";
  }

  /// Where its output goes, if anywhere.
  Optional<Path> logPath() {
    String directory = sandbox.spec().logDirectory();
    String path = stored.spec().logPath();
    return directory.isEmpty() || path.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(directory).resolve(path));
  }

  /// Keeps the root filesystem until it is started.
  synchronized void keepRootfs(Fd mount) {
    rootfs = mount;
  }

  /// Hands the root filesystem over, if it was kept.
  synchronized @Nullable Fd takeRootfs() {
    Fd fd = rootfs;
    rootfs = null;
    return fd;
  }

  /// Becomes RUNNING.
  ///
  /// @param mainProcess null if it has ended and the monitor is about to say so
  synchronized void running(
      StoredContainer started, @Nullable Pidfd mainProcess, Pidfd itsMonitor) {
    stored = started;
    main = mainProcess;
    monitor = itsMonitor;
    state = ContainerState.RUNNING;
    tell(ContainerEvent.Type.STARTED);
  }

  /// Was started, and its monitor has gone before anybody could look.
  synchronized void started(StoredContainer started) {
    stored = started;
    tell(ContainerEvent.Type.STARTED);
  }

  /// Tells who listens of a change; the next change waits until that is done.
  synchronized void tell(ContainerEvent.Type type) {
    service.events().publish(sandbox, id(), type);
  }

  /// Calls `action` once when the monitor has ended.
  synchronized void watch(EventLoop loop, Runnable action) {
    Pidfd m = monitor;
    if (m != null && m.fd().isOpen()) {
      monitorExit = m.onExit(loop, action);
    }
  }

  /// Becomes EXITED: whether it was not before.
  boolean ended(StoredExit exit) {
    synchronized (this) {
      if (state == ContainerState.EXITED) {
        return false;
      }
      // Who sees the state sees how it ended.
      this.exit = exit;
      state = ContainerState.EXITED;
      closeDescriptors();
      // Nothing runs on its completion but what waits for it.
      exited.complete(exit);
      tell(ContainerEvent.Type.STOPPED);
    }
    return true;
  }

  /// Sends the main process a signal: whether it was there to get it.
  synchronized boolean signal(int number) {
    Pidfd m = main;
    return m != null && m.fd().isOpen() && m.signal(number);
  }

  /// The main process, as a descriptor that the caller closes.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the container does not run
  public synchronized Fd mainProcess() {
    Pidfd m = main;
    if (state != ContainerState.RUNNING || m == null || !m.fd().isOpen()) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, title() + " is not running: it is " + state);
    }
    return m.fd().duplicate();
  }

  /// Is about to be killed by the daemon. If its main process still runs, what the kernel has killed for
  /// want of memory up to now was not that.
  synchronized void killing(long oomKills) {
    Pidfd m = main;
    if (m != null && m.fd().isOpen() && m.isAlive()) {
      oomKillsBefore = oomKills;
    }
  }

  /// How many of its processes the kernel had killed for want of memory when the daemon killed the rest.
  long oomKillsBefore() {
    return oomKillsBefore;
  }

  /// Waits for its end: whether it came within that time.
  public boolean awaitExit(Duration patience) {
    try {
      exited.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }

  @Override
  public CompletableFuture<?> kill() {
    return service.kill(this);
  }

  @Override
  public void remove() {
    service.remove(this);
  }

  void markRemoved() {
    removed = true;
    release();
  }

  /// Closes the descriptors of it; the container is untouched.
  public synchronized void release() {
    closeDescriptors();
  }

  /// The files that tell what it uses, kept open until it ends.
  public KeptFiles usage() {
    return usage;
  }

  private void closeDescriptors() {
    usage.close();
    if (monitorExit != null) {
      monitorExit.close();
      monitorExit = null;
    }
    if (monitor != null) {
      monitor.close();
    }
    if (main != null) {
      main.close();
    }
    if (rootfs != null) {
      rootfs.close();
      rootfs = null;
    }
  }

  /// The same object for as long as nothing has changed.
  @Override
  public ContainerStatus status() {
    Shown seen = shown;
    StoredContainer s = stored;
    ContainerState now = state;
    StoredExit end = exit;
    if (seen == null || seen.stored != s || seen.state != now || seen.exit != end) {
      seen = new Shown(s, now, end, status(s, now, end));
      shown = seen;
    }
    return seen.status;
  }

  private ContainerStatus status(
      StoredContainer s, ContainerState now, @Nullable StoredExit exit) {
    ResolvedProcess process = s.process();
    boolean running = now == ContainerState.RUNNING;
    StoredExit ended = now == ContainerState.EXITED ? exit : null;
    return new ContainerStatus(
        s.id(),
        s.sandboxId(),
        s.spec(),
        s.imageId(),
        s.imageName(),
        s.imageRef(),
        now,
        s.createdAt(),
        s.startedAt(),
        ended == null ? 0 : ended.finishedAt(),
        ended == null ? 0 : ended.exitCode(),
        ended == null ? "" : ended.reason(),
        ended == null ? "" : ended.message(),
        logPath().map(Object::toString).orElse(""),
        process == null ? new UserIds(0, 0, List.of()) : process.user(),
        process == null ? SignalNames.TERM : process.stopSignal(),
        running && s.main() != null ? s.main().pid() : 0,
        s.cgroup());
  }
}
