package dev.peapod.engine.sandbox;

import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.engine.model.SandboxStatus.SandboxState;
import dev.peapod.engine.state.StoredSandbox;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.KeptFiles;
import dev.peapod.linux.Pidfd;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A pod's sandbox, with its containers.
///
/// ```
/// run            pause gone, or stop             remove
/// ----> READY -----------------------> NOT_READY -------> REMOVED
///         |                                                  ^
///         +---------------- remove (stops first) ------------+
/// ```
///
/// Its state changes under [#lock], held for moments only. Stopping and removing are serialised by
/// [#ending], held as long as they take. A container is added only while the sandbox is READY.
public final class Sandbox {
  /// See the class's diagram.
  public enum State {
    READY,
    NOT_READY,
    REMOVED
  }

  final ReentrantLock lock = new ReentrantLock();
  final ReentrantLock ending = new ReentrantLock();
  final CompletableFuture<Void> pauseExited = new CompletableFuture<>();

  /// What was told last, and what it was made of.
  private record Shown(StoredSandbox stored, boolean ready, SandboxStatus status) {}

  private final KeptFiles usage = new KeptFiles();
  private final Path files;
  private final Map<String, Member> members = new ConcurrentHashMap<>();
  private volatile StoredSandbox stored;
  private volatile State state;
  private volatile @Nullable Shown shown;
  private volatile @Nullable Pidfd pause;
  private EventLoop.@Nullable Registration pauseExit;

  Sandbox(StoredSandbox stored, Path files, State state, @Nullable Pidfd pause) {
    this.stored = stored;
    this.files = files;
    this.state = state;
    this.pause = pause;
    if (pause == null) {
      pauseExited.complete(null);
    }
  }

  /// Its id.
  public String id() {
    return stored.id();
  }

  /// Whose it is.
  public String owner() {
    return stored.owner();
  }

  /// What was asked for.
  public SandboxSpec spec() {
    return stored.spec();
  }

  /// The cgroup that its containers' are made in.
  public String cgroup() {
    return stored.cgroup();
  }

  /// Where the pod's `hosts`, `hostname` and `resolv.conf` stand.
  public Path files() {
    return files;
  }

  /// The files that tell what it uses, kept open until it is stopped.
  public KeptFiles usage() {
    return usage;
  }

  /// Whether it is READY.
  public boolean isReady() {
    return state == State.READY;
  }

  /// Its state.
  public State state() {
    return state;
  }

  /// The pause process.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the sandbox is not READY
  public Pidfd pause() {
    Pidfd p = pause;
    if (p == null || state != State.READY) {
      throw notReady();
    }
    return p;
  }

  /// The containers.
  public List<Member> members() {
    return List.copyOf(members.values());
  }

  /// Adds a container.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the sandbox is not READY
  public void add(Member member) {
    lock.lock();
    try {
      if (state != State.READY) {
        throw notReady();
      }
      members.put(member.id(), member);
    } finally {
      lock.unlock();
    }
  }

  /// Adds a container that a daemon before this one made.
  public void adopt(Member member) {
    members.put(member.id(), member);
  }

  /// Takes a container out.
  public void remove(Member member) {
    members.remove(member.id());
  }

  /// How it is now; the same object for as long as nothing has changed.
  public SandboxStatus status() {
    Shown seen = shown;
    StoredSandbox s = stored;
    boolean ready = isReady();
    if (seen == null || seen.stored != s || seen.ready != ready) {
      seen = new Shown(s, ready, status(s, ready));
      shown = seen;
    }
    return seen.status;
  }

  private SandboxStatus status(StoredSandbox s, boolean ready) {
    Pidfd p = pause;
    return new SandboxStatus(
        s.id(),
        s.spec(),
        ready ? SandboxState.READY : SandboxState.NOT_READY,
        s.createdAt(),
        s.ips(),
        ready && p != null ? p.pid() : 0,
        s.cgroup(),
        s.netns().isEmpty() ? Optional.empty() : Optional.of(Path.of(s.netns())));
  }

  StoredSandbox stored() {
    return stored;
  }

  void store(StoredSandbox next) {
    stored = next;
  }

  /// Calls `action` once when the pause process has ended.
  void watch(EventLoop loop, Runnable action) {
    Pidfd p = pause;
    if (p != null) {
      pauseExit =
          p.onExit(
              loop,
              () -> {
                pauseExited.complete(null);
                action.run();
              });
    }
  }

  /// Moves from READY to NOT_READY: whether it was READY.
  ///
  /// @param left called then, before anything else can happen to it
  boolean leaveReady(Runnable left) {
    lock.lock();
    try {
      boolean was = state == State.READY;
      if (was) {
        state = State.NOT_READY;
        usage.close();
        left.run();
      }
      return was;
    } finally {
      lock.unlock();
    }
  }

  void removed() {
    lock.lock();
    try {
      state = State.REMOVED;
    } finally {
      lock.unlock();
    }
    release();
  }

  /// Closes the descriptors of it; the pod is untouched.
  public void release() {
    usage.close();
    EventLoop.Registration r = pauseExit;
    if (r != null) {
      r.close();
    }
    Pidfd p = pause;
    if (p != null) {
      p.close();
    }
  }

  /// Kills the pause process; [#pauseExited] completes when it is gone.
  void killPause() {
    Pidfd p = pause;
    if (p != null && p.fd().isOpen()) {
      p.signal(9);
    }
  }

  private PeapodException notReady() {
    return new PeapodException(
        Kind.FAILED_PRECONDITION, "sandbox " + stored.id() + " is not ready: its pod has ended");
  }
}
