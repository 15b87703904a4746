package dev.peapod.engine.event;

import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.sandbox.Member;
import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/// Passes changes on to the listeners of their owner, in the order in which they happen. Thread-safe.
///
/// Who publishes holds the lock under which the change was made, so that two changes of one thing are
/// never told in the wrong order; nothing here waits or calls back.
public final class Events {
  private static final int MOST_WAITING = 10_000;

  private final Clock clock;
  private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();

  public Events(Clock clock) {
    this.clock = clock;
  }

  /// Everything of an owner from now on, until it is closed. For one thread.
  public final class Listener implements AutoCloseable {
    private final String owner;
    private final BlockingQueue<ContainerEvent> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
    private volatile boolean overflown;

    private Listener(String owner) {
      this.owner = owner;
    }

    /// Waits for the next one.
    ///
    /// @throws PeapodException RESOURCE_EXHAUSTED if so many wait that one was lost: what there is must be
    ///     listed anew
    /// @throws InterruptedException if the thread is
    public ContainerEvent next() throws InterruptedException {
      if (overflown) {
        throw new PeapodException(
            Kind.RESOURCE_EXHAUSTED,
            "more than " + MOST_WAITING + " events wait; list what there is and listen again");
      }
      return waiting.take();
    }

    @Override
    public void close() {
      listeners.remove(this);
    }
  }

  /// Begins to listen: every change that begins after this returns is told.
  public Listener listen(String owner) {
    Listener listener = new Listener(owner);
    listeners.add(listener);
    return listener;
  }

  /// Tells of a change that has just been made.
  ///
  /// @param id of the container, or of the sandbox itself
  public void publish(Sandbox sandbox, String id, ContainerEvent.Type type) {
    if (listeners.isEmpty()) {
      return;
    }
    List<ContainerStatus> containers = sandbox.members().stream().map(Member::status).toList();
    Instant t = clock.instant();
    long at = t.getEpochSecond() * 1_000_000_000L + t.getNano();
    ContainerEvent event = new ContainerEvent(id, type, at, sandbox.status(), containers);
    for (Listener listener : listeners) {
      if (listener.owner.equals(sandbox.owner()) && !listener.waiting.offer(event)) {
        listener.overflown = true;
      }
    }
  }
}
