package dev.peapod.pods.supervisor;

import dev.peapod.pods.backoff.BackOff;
import dev.peapod.pods.probe.Prober;
import io.fabric8.kubernetes.api.model.Container;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One container of the manifest and what is known of its instances. Touched by the pod's worker
/// alone.
///
/// ```
///            start          started            exit seen
///   WAITING ───────> STARTING ───────> RUNNING ──────────> EXITED
///      ^                │ failed          │ killed by us      │ due again
///      └────────────────┘                 └─> (STOPPING) ─────┴──> STARTING
/// ```
final class ContainerSlot {
  enum State {
    WAITING,
    STARTING,
    RUNNING,
    STOPPING,
    EXITED
  }

  /// When a container has its turn, and what its end means.
  enum Role {
    INIT,
    SIDECAR,
    MAIN,
    EPHEMERAL
  }

  Container spec;
  /// What the manifest said when the present instance was made, or was changed since.
  @Nullable Container instance;
  /// Why the instance could not be given what the manifest says now; empty if it could.
  String resizeProblem = "";
  final Role role;
  /// The container whose processes an ephemeral one is to see.
  @Nullable ContainerSlot target;
  final BackOff crashes;
  final BackOff pulls;

  State state = State.WAITING;
  /// Number of the next instance; the restart count is one less, once there is one.
  int nextAttempt;

  String containerId = "";
  String imageId = "";
  Instant startedAt = Instant.EPOCH;
  /// `System.nanoTime` of the last change made by the worker: a listing begun earlier knows less.
  long changedAt;

  /// Shown while nothing runs: ErrImagePull, CrashLoopBackOff, ...
  String waitingReason = "";
  String waitingMessage = "";
  /// Not before then, if it is to be tried again.
  Optional<Instant> retryAt = Optional.empty();

  /// How the present instance ended (EXITED) and the one before it.
  @Nullable Termination ended;
  @Nullable Termination last;

  boolean started;
  boolean ready;
  /// A sidecar: whether it has started once in the present sandbox, which what comes after waits for.
  boolean startedOnce;
  /// It runs again whatever its end is: it was asked for, or its image has changed.
  boolean restartWanted;
  final List<Prober> probers = new ArrayList<>();
  @Nullable Thread operation;
  @Nullable Thread hook;

  ContainerSlot(Container spec, Role role, BackOff crashes, BackOff pulls) {
    this.spec = spec;
    this.role = role;
    this.crashes = crashes;
    this.pulls = pulls;
  }

  String name() {
    return spec.getName();
  }

  int restarts() {
    return Math.max(0, nextAttempt - 1);
  }

  boolean succeeded() {
    return state == State.EXITED && ended != null && ended.succeeded();
  }

  /// Whether it keeps nothing that comes after it waiting.
  boolean isInitialized() {
    return switch (role) {
      case INIT -> succeeded() && !restartWanted;
      case SIDECAR -> startedOnce;
      case MAIN, EPHEMERAL -> true;
    };
  }

  /// Whether a start or stop is under way.
  boolean isBusy() {
    return operation != null;
  }

  /// Whether its process runs, as far as is known.
  boolean isAlive() {
    return state == State.RUNNING || state == State.STOPPING;
  }

  /// Has what has ended run again whatever its end was.
  void again() {
    startedOnce = false;
    if (state == State.EXITED) {
      last = ended;
      ended = null;
      state = State.WAITING;
    }
  }

  void waiting(String reason, String message) {
    waitingReason = reason;
    waitingMessage = message;
  }

  /// Back to the beginning, for another try at finding out what runs.
  void forget() {
    endProbes();
    startedOnce = false;
    state = State.WAITING;
    nextAttempt = 0;
    containerId = "";
    ended = null;
    last = null;
  }

  void endProbes() {
    probers.forEach(Prober::close);
    probers.clear();
    if (hook != null) {
      hook.interrupt();
      hook = null;
    }
    ready = false;
    started = false;
  }

  /// @param as what the instance was made by
  void running(String id, String image, Instant since, Container as) {
    state = State.RUNNING;
    instance = as;
    resizeProblem = "";
    restartWanted = false;
    containerId = id;
    imageId = image;
    startedAt = since;
    changedAt = System.nanoTime();
    waiting("", "");
    retryAt = Optional.empty();
    if (ended != null) {
      last = ended;
      ended = null;
    }
  }

  void exited(Termination termination) {
    endProbes();
    state = State.EXITED;
    resizeProblem = "";
    changedAt = System.nanoTime();
    if (ended != null) {
      last = ended;
    }
    ended = termination;
    waiting("", "");
    retryAt = Optional.empty();
  }
}
