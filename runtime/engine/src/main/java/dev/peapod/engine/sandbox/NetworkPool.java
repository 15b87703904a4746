package dev.peapod.engine.sandbox;

import dev.peapod.cni.AttachRequest;
import dev.peapod.cni.Network;
import dev.peapod.engine.state.Ids;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.engine.state.StateStore;
import dev.peapod.engine.state.StoredNetwork;
import dev.peapod.engine.state.UndoStack;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Networks that are made before the pods that will have them: a pinned namespace with its link and address, and no
/// process. Making one is half of a sandbox's time.
///
/// Empty until the first pod, so that a daemon without pods changes nothing on the host. Only for networks whose
/// plugins are all ours; others may want to know the pod. Thread-safe.
public final class NetworkPool {
  /// What it works with.
  ///
  /// @param store a state file for each network that no sandbox has yet
  /// @param netns the directory that network namespaces are pinned in
  /// @param size how many networks are kept; 0 for none
  /// @param background removes state files that nobody waits for
  /// @param spareTime when the pool is filled
  public record Tools(
      Network network,
      StateStore<StoredNetwork> store,
      Path netns,
      int size,
      Executor background,
      SpareTime spareTime) {}

  /// A network that waits for its pod.
  ///
  /// @param id the id that its sandbox has to take
  /// @param ips the addresses that the pod will have
  record Spare(String id, Path netns, List<String> ips) {}

  private static final Logger LOG = System.getLogger(NetworkPool.class.getName());

  private final Tools tools;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock making = new ReentrantLock();
  private final Deque<Spare> spares = new ArrayDeque<>();
  private boolean closed;

  public NetworkPool(Tools tools) {
    this.tools = tools;
  }

  /// Takes a network out. Its state file stays until [#taken(Spare)], so that it is in one at every moment.
  Optional<Spare> take() {
    lock.lock();
    try {
      return Optional.ofNullable(spares.pollFirst());
    } finally {
      lock.unlock();
    }
  }

  /// The sandbox's own state file tells of the network now. The pool is filled up again; neither is waited for.
  void taken(Spare spare) {
    tools.background.execute(() -> tools.store.delete(spare.id()));
    refill();
  }

  /// Has the pool filled up, when there is time and by another thread.
  void refill() {
    if (tools.size > 0 && tools.network.canAttachAhead()) {
      tools.spareTime.later(this::fill);
    }
  }

  private void fill() {
    making.lock();
    try {
      while (wanted()) {
        Spare made = make();
        lock.lock();
        try {
          spares.addLast(made);
        } finally {
          lock.unlock();
        }
      }
    } catch (RuntimeException e) {
      LOG.log(Level.DEBUG, "no network is made ahead now: {0}", e.getMessage());
    } finally {
      making.unlock();
    }
  }

  private boolean wanted() {
    lock.lock();
    try {
      return !closed && spares.size() < tools.size;
    } finally {
      lock.unlock();
    }
  }

  private Spare make() {
    String id = Ids.random();
    Path netns = tools.netns.resolve(id);
    UndoStack undo = new UndoStack();
    undo.push("the state file", () -> tools.store.delete(id));
    try {
      tools.store.save(new StoredNetwork(StoredNetwork.VERSION, id, netns.toString()));
      undo.push("the network namespace's pin", () -> Namespaces.unpin(netns));
      try (Fd namespace = Namespaces.create(Namespaces.Type.NET)) {
        Namespaces.pin(namespace, netns);
      }
      undo.push("the network", () -> tools.network.detach(id));
      AttachRequest request = new AttachRequest(id, "", "", "", netns, List.of());
      return new Spare(id, netns, tools.network.attach(request).ips());
    } catch (RuntimeException e) {
      undo.undo(e);
      throw e;
    }
  }

  /// Takes back all networks that no pod has, so that their addresses are free.
  ///
  /// @return whether there were any
  boolean drain() {
    boolean any = false;
    for (Optional<Spare> next = take(); next.isPresent(); next = take()) {
      any = true;
      discard(next.get());
    }
    return any;
  }

  /// Does what needs that there is no network without a pod.
  <T> T empty(Supplier<T> work) {
    making.lock();
    try {
      if (drain()) {
        refill();
      }
      return work.get();
    } finally {
      making.unlock();
    }
  }

  /// Takes back a network that was taken out and is not wanted after all.
  void discard(Spare spare) {
    discard(spare.id(), spare.netns());
  }

  /// Takes back what a daemon before this one had made ahead.
  ///
  /// @param live whether a sandbox has it
  public void discardOld(Predicate<String> live) {
    for (StoredNetwork stored : tools.store.load()) {
      if (live.test(stored.id())) {
        tools.store.delete(stored.id());
      } else {
        discard(stored.id(), Path.of(stored.netns()));
      }
    }
  }

  /// Takes back all networks and makes no more.
  public void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    making.lock();
    try {
      drain();
    } finally {
      making.unlock();
    }
  }

  private void discard(String id, Path netns) {
    UndoStack steps = new UndoStack();
    steps.push("the state file", () -> tools.store.delete(id));
    steps.push("the network namespace's pin", () -> Namespaces.unpin(netns));
    steps.push("the network", () -> tools.network.detach(id));
    RuntimeException failures = new RuntimeException("taking back network " + id);
    steps.undo(failures);
    if (failures.getSuppressed().length > 0) {
      LOG.log(Level.WARNING, "a network that was made ahead can not be taken back", failures);
    }
  }
}
