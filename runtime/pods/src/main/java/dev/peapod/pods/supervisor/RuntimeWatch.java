package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.PodSandbox;
import io.grpc.StatusRuntimeException;
import java.lang.System.Logger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Looks at the runtime for all pods at once: two lists every second (more often after something
/// was started), or, where the runtime sends container events, at each event and
/// every ten seconds. Thread-safe.
public final class RuntimeWatch implements AutoCloseable {
  private static final Logger LOG = System.getLogger(RuntimeWatch.class.getName());
  private static final Duration LEAST_PAUSE = Duration.ofMillis(20);
  private static final int WITH_EVENTS = 10;

  /// What has just been started often ends at once: looked at more often for a while.
  private static final Duration LIVELY = Duration.ofSeconds(3);
  private static final int LIVELY_FASTER = 8;

  /// What the runtime has, by pod uid.
  public record Look(
      Map<String, List<PodSandbox>> sandboxes,
      Map<String, List<Container>> containers,
      long begunAt) {}

  private final Cri cri;
  private final Duration poll;
  private final BooleanSupplier needed;
  private final Consumer<Look> told;
  private final Semaphore wanted = new Semaphore(0);
  private volatile boolean events;
  private volatile boolean closed;
  private volatile boolean away;
  private volatile long poked = System.nanoTime();
  private final List<Thread> threads = new ArrayList<>();

  /// @param needed whether there is anything to look for
  /// @param told what was seen, one after the other
  public RuntimeWatch(Cri cri, Duration poll, BooleanSupplier needed, Consumer<Look> told) {
    this.cri = cri;
    this.poll = poll;
    this.needed = needed;
    this.told = told;
  }

  public void start() {
    threads.add(Thread.ofVirtual().name("runtime watch").start(this::lookAgainAndAgain));
    threads.add(Thread.ofVirtual().name("runtime events").start(this::listen));
  }

  /// Has the runtime looked at soon.
  public void poke() {
    poked = System.nanoTime();
    wanted.release();
  }

  /// One look now.
  ///
  /// @throws PeapodException if the runtime does not answer
  public Look look() {
    long begunAt = System.nanoTime();
    Map<String, List<PodSandbox>> sandboxes = new HashMap<>();
    // Containers first: a sandbox made in between shows without its containers, never the other way
    // round.
    Map<String, List<Container>> containers = new HashMap<>();
    for (Container container : cri.containers(Map.of())) {
      String uid = container.getLabelsOrDefault(Labels.POD_UID, "");
      containers.computeIfAbsent(uid, key -> new ArrayList<>()).add(container);
    }
    for (PodSandbox sandbox : cri.sandboxes(Map.of())) {
      String uid = sandbox.getLabelsOrDefault(Labels.POD_UID, "");
      sandboxes.computeIfAbsent(uid, key -> new ArrayList<>()).add(sandbox);
    }
    return new Look(sandboxes, containers, begunAt);
  }

  private void lookAgainAndAgain() {
    try {
      while (!closed) {
        boolean lively = System.nanoTime() - poked < LIVELY.toNanos();
        Duration pause =
            events ? poll.multipliedBy(WITH_EVENTS) : lively ? poll.dividedBy(LIVELY_FASTER) : poll;
        if (wanted.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          Thread.sleep(LEAST_PAUSE);
          wanted.drainPermits();
        }
        if (needed.getAsBoolean() && !closed) {
          lookOnce();
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  private void lookOnce() {
    try {
      told.accept(look());
      if (away) {
        away = false;
        LOG.log(Logger.Level.INFO, "the runtime answers again");
      }
    } catch (PeapodException e) {
      if (!away && !closed) {
        away = true;
        LOG.log(Logger.Level.WARNING, "the runtime does not answer: " + e.getMessage());
      }
    }
  }

  private void listen() {
    try {
      while (!closed) {
        try {
          var stream = cri.events();
          while (stream.hasNext()) {
            stream.next();
            events = true;
            poke();
          }
        } catch (StatusRuntimeException e) {
          if (Cri.translated(e).kind() == Kind.UNIMPLEMENTED) {
            return;
          }
        }
        events = false;
        Thread.sleep(poll);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
  }
}
