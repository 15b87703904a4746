package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;

/// The workers of all pods, by name. Thread-safe.
final class Workers implements AutoCloseable {
  private static final Duration CLOSE_TIME = Duration.ofSeconds(5);
  private static final Duration LOOK = Duration.ofMillis(200);

  private final Consumer<Collection<Pod>> weigh;
  private final Map<PodKey, PodWorker> workers = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /// @param weigh told of all pods whenever one has come or gone
  Workers(Consumer<Collection<Pod>> weigh) {
    this.weigh = weigh;
  }

  /// Takes up a pod whose name is free.
  void run(Shared shared, PodStore.Stored stored, Message... first) {
    PodWorker worker = new PodWorker(shared, stored, this::gone);
    workers.put(worker.key(), worker);
    weigh();
    worker.start();
    for (Message message : first) {
      worker.tell(message);
    }
  }

  private void gone(PodWorker worker) {
    workers.remove(worker.key(), worker);
    weigh();
  }

  private void weigh() {
    weigh.accept(workers.values().stream().map(PodWorker::pod).toList());
  }

  boolean isEmpty() {
    return workers.isEmpty();
  }

  boolean has(PodKey key) {
    return workers.containsKey(key);
  }

  Optional<PodWorker> get(PodKey key) {
    return Optional.ofNullable(workers.get(key));
  }

  Collection<PodWorker> all() {
    return workers.values();
  }

  /// Tells one worker something; false if there is none of that name.
  boolean tell(PodKey key, Message message) {
    Optional<PodWorker> worker = get(key);
    worker.ifPresent(found -> found.tell(message));
    return worker.isPresent();
  }

  void tellAll(Message message) {
    workers.values().forEach(worker -> worker.tell(message));
  }

  /// Tells a pod's worker something and waits until it is done.
  ///
  /// @param message made of what is completed then
  /// @throws PeapodException NOT_FOUND, or why it could not be done
  void ask(PodKey key, Function<CompletableFuture<Void>, Message> message)
      throws InterruptedException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    PodWorker worker = get(key).orElseThrow(() -> notFound(key));
    worker.tell(message.apply(done));
    while (true) {
      try {
        done.get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        requireOpen();
        if (worker.awaitGone(Duration.ZERO)) {
          throw notFound(key);
        }
      } catch (ExecutionException e) {
        throw e.getCause() instanceof PeapodException p
            ? p
            : PeapodException.internal("pod " + key + " can not be changed", e);
      }
    }
  }

  static PeapodException notFound(PodKey key) {
    return PeapodException.notFound("pods \"" + key.name() + "\" not found");
  }

  /// Waits until a pod that is being deleted is gone.
  ///
  /// @throws PeapodException UNAVAILABLE if the daemon stops before
  void awaitGone(PodKey key) throws InterruptedException {
    PodWorker worker = workers.get(key);
    while (worker != null && workers.get(key) == worker) {
      requireOpen();
      worker.awaitGone(LOOK);
    }
  }

  void requireOpen() {
    if (closed) {
      throw new PeapodException(Kind.UNAVAILABLE, "the daemon is stopping");
    }
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    List<PodWorker> all = List.copyOf(workers.values());
    all.forEach(worker -> worker.tell(new Message.Close()));
    try {
      for (PodWorker worker : all) {
        worker.awaitGone(CLOSE_TIME);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
