package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.manifest.Manifest;
import dev.peapod.pods.manifest.ObjectManifest;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectStore;
import dev.peapod.pods.object.References;
import dev.peapod.proto.runtime.v1.PodSandbox;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All pods and their workers: applying, deleting, looking. Thread-safe.
public final class Fleet implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Fleet.class.getName());
  private static final Duration VOLUME_LOOK = Duration.ofSeconds(10);
  private static final Duration CLOSE_TIME = Duration.ofSeconds(5);
  private static final Duration ANSWER_LOOK = Duration.ofMillis(200);

  /// What applying one manifest comes to.
  public enum Result {
    CREATED,
    UNCHANGED,
    CONFIGURED,
    REPLACED
  }

  /// One applied manifest.
  public record Applied(Manifest manifest, Result result) {}

  private final PodsConfig config;
  private final PodStore store;
  private final ObjectStore objects;
  private final EventLog events;
  private final PodBoard board;
  private final RuntimeWatch watch;
  private final Shared shared;
  private final Cri cri;
  private final Consumer<Collection<Pod>> weigh;

  private final Map<PodKey, PodWorker> workers = new ConcurrentHashMap<>();
  /// Held while pods are compared with what is asked for and made; never while one is waited for.
  private final ReentrantLock applying = new ReentrantLock();

  private volatile boolean closed;
  private @Nullable Thread volumeWatch;

  /// @param weigh told of all pods whenever one has come or gone
  public Fleet(Cri cri, PodsConfig config, InstantSource clock, Consumer<Collection<Pod>> weigh) {
    this.cri = cri;
    this.weigh = weigh;
    this.config = config;
    this.store = new PodStore(config);
    this.objects = new ObjectStore(config.root(), clock);
    this.events = new EventLog(clock);
    // Milliseconds leave room for a thousand changes each before a later daemon's first revision
    // could be reached.
    this.board = new PodBoard(clock.millis() * 1000);
    this.watch = new RuntimeWatch(cri, config.poll(), () -> !workers.isEmpty(), this::seen);
    this.shared =
        new Shared(
            cri, config, events, board, store, objects, new UserRanges(), clock, watch::poke);
  }

  public EventLog events() {
    return events;
  }

  public PodBoard board() {
    return board;
  }

  /// The documents that pods refer to.
  public ObjectStore objects() {
    return objects;
  }

  /// Takes up the stored pods.
  public void start() {
    for (PodStore.Stored stored : store.load()) {
      PodKey key = PodKey.of(stored.pod());
      if (workers.containsKey(key)) {
        LOG.log(
            Logger.Level.WARNING,
            "pod "
                + key
                + " is stored twice; "
                + stored.pod().getMetadata().getUid()
                + " is left out");
        continue;
      }
      run(stored);
    }
    Thread.ofVirtual().name("orphans").start(this::removeOrphans);
    watch.start();
    watch.poke();
    volumeWatch = Thread.ofVirtual().name("volume limits").start(this::watchVolumes);
  }

  private void run(PodStore.Stored stored) {
    PodWorker worker = new PodWorker(shared, stored, this::gone);
    workers.put(worker.key(), worker);
    weigh();
    worker.start();
  }

  private void gone(PodWorker worker) {
    workers.remove(worker.key(), worker);
    weigh();
  }

  private void weigh() {
    weigh.accept(workers.values().stream().map(PodWorker::pod).toList());
  }

  private void seen(RuntimeWatch.Look look) {
    for (PodWorker worker : workers.values()) {
      worker.tell(
          new Message.Observed(
              look.sandboxes().getOrDefault(worker.uid(), List.of()),
              look.containers().getOrDefault(worker.uid(), List.of()),
              look.begunAt()));
    }
  }

  /// Sandboxes of ours whose pod is no longer known were left by a removal that was cut off.
  private void removeOrphans() {
    try {
      Set<String> known = workers.values().stream().map(PodWorker::uid).collect(Collectors.toSet());
      for (PodSandbox sandbox : cri.sandboxes(Map.of())) {
        String owner = sandbox.getAnnotationsOrDefault(Labels.SUPERVISOR, "");
        if (owner.equals(config.podsDirectory().toString())
            && !known.contains(sandbox.getLabelsOrDefault(Labels.POD_UID, ""))) {
          LOG.log(Logger.Level.INFO, "remove sandbox " + sandbox.getId() + ", whose pod is gone");
          cri.stopSandbox(sandbox.getId());
          cri.removeSandbox(sandbox.getId());
        }
      }
    } catch (PeapodException e) {
      LOG.log(Logger.Level.WARNING, "can not look for sandboxes without a pod: " + e.getMessage());
    }
  }

  // --- applying

  /// Makes the pods that are not there yet. Either all manifests can be applied, or nothing is
  /// made.
  ///
  /// @param replace delete a pod whose spec differs, and make it anew
  /// @throws PeapodException ALREADY_EXISTS if a spec differs and `replace` is not set;
  /// FAILED_PRECONDITION if a host port is taken by
  ///     another pod
  public List<Applied> apply(List<Manifest> manifests, boolean replace, boolean dryRun)
      throws InterruptedException {
    Map<Manifest, Result> results = new LinkedHashMap<>();
    List<PodManifest> pods = new ArrayList<>();
    for (Manifest manifest : manifests) {
      switch (manifest) {
        case PodManifest pod -> {
          pods.add(pod);
          results.put(pod, Result.CREATED);
        }
        case ObjectManifest object ->
            results.put(object, Result.valueOf(objects.compare(object.object(), replace).name()));
      }
    }
    results.putAll(applyPods(pods, replace, dryRun, () -> putObjects(manifests, replace)));
    if (pods.isEmpty() && !dryRun) {
      putObjects(manifests, replace);
    }
    return results.entrySet().stream().map(e -> new Applied(e.getKey(), e.getValue())).toList();
  }

  private void putObjects(List<Manifest> manifests, boolean replace) {
    for (Manifest manifest : manifests) {
      if (manifest instanceof ObjectManifest object
          && objects.put(object.object(), replace) != ObjectStore.Result.UNCHANGED) {
        changed(ObjectKey.of(object.object()));
      }
    }
  }

  private void changed(ObjectKey key) {
    workers.values().forEach(worker -> worker.tell(new Message.ObjectChanged(key)));
  }

  /// @param before done once it is sure that the pods can be applied, and before they are
  private Map<PodManifest, Result> applyPods(
      List<PodManifest> manifests, boolean replace, boolean dryRun, Runnable before)
      throws InterruptedException {
    Map<PodManifest, Result> plan = new LinkedHashMap<>();
    List<PodKey> replaced = new ArrayList<>();
    applying.lock();
    try {
      requireOpen();
      for (PodManifest manifest : manifests) {
        Result result = compare(manifest, replace);
        plan.put(manifest, result);
        if (result == Result.REPLACED) {
          replaced.add(PodKey.of(manifest.pod()));
        }
      }
      HostPorts.require(board, plan.keySet().stream().map(PodManifest::pod).toList());
      if (!dryRun) {
        before.run();
        for (PodKey key : replaced) {
          delete(key, Optional.empty());
        }
        for (Map.Entry<PodManifest, Result> planned : plan.entrySet()) {
          if (planned.getValue() == Result.CREATED) {
            create(planned.getKey().pod());
          } else if (planned.getValue() == Result.CONFIGURED) {
            configure(planned.getKey().pod());
          }
        }
      }
    } finally {
      applying.unlock();
    }
    if (!dryRun) {
      for (PodManifest manifest : manifests) {
        if (plan.get(manifest) == Result.REPLACED) {
          awaitGone(PodKey.of(manifest.pod()));
          applying.lock();
          try {
            create(manifest.pod());
          } finally {
            applying.unlock();
          }
        }
      }
    }
    return plan;
  }

  private Result compare(PodManifest manifest, boolean replace) throws InterruptedException {
    PodKey key = PodKey.of(manifest.pod());
    while (board.get(key).isEmpty() && workers.containsKey(key)) {
      // Its worker is just taking its leave.
      Thread.sleep(1);
    }
    Optional<PodBoard.Entry> present = board.get(key);
    if (present.isEmpty()) {
      return Result.CREATED;
    }
    Pod before = EphemeralContainers.without(present.get().pod());
    if (before.getMetadata().getDeletionTimestamp() != null) {
      if (replace) {
        return Result.REPLACED;
      }
      throw new PeapodException(
          Kind.ALREADY_EXISTS, "pod " + key + " is being deleted; apply it again when it is gone");
    }
    Optional<String> forbidden = SpecChanges.forbidden(before, manifest.pod());
    if (forbidden.isPresent()) {
      if (replace) {
        return Result.REPLACED;
      }
      throw new PeapodException(
          Kind.ALREADY_EXISTS,
          "The Pod \""
              + key.name()
              + "\" is invalid: "
              + forbidden.get()
              + " (apply with --replace to delete it and make it anew)");
    }
    ObjectMeta now = manifest.pod().getMetadata();
    boolean same =
        before.getSpec().equals(manifest.pod().getSpec())
            && Objects.equals(before.getMetadata().getLabels(), now.getLabels())
            && Objects.equals(before.getMetadata().getAnnotations(), now.getAnnotations());
    return same ? Result.UNCHANGED : Result.CONFIGURED;
  }

  private void create(Pod asked) {
    if (workers.containsKey(PodKey.of(asked))) {
      throw new PeapodException(
          Kind.ALREADY_EXISTS, "pod " + PodKey.of(asked) + " was made by someone else meanwhile");
    }
    ObjectMeta metadata =
        new ObjectMetaBuilder(asked.getMetadata())
            .withUid(UUID.randomUUID().toString())
            .withCreationTimestamp(StatusReport.text(shared.clock().instant()))
            .build();
    Pod pod = new Pod(asked.getApiVersion(), asked.getKind(), metadata, asked.getSpec(), null);
    store.savePod(pod);
    PodWorker worker =
        new PodWorker(
            shared, new PodStore.Stored(pod, Optional.empty(), Optional.empty()), this::gone);
    workers.put(worker.key(), worker);
    weigh();
    worker.start();
    // Nothing can be there of a uid that has just been made up.
    worker.tell(new Message.Observed(List.of(), List.of(), System.nanoTime()));
  }

  private void configure(Pod asked) throws InterruptedException {
    ask(PodKey.of(asked), done -> new Message.Configure(asked, done));
  }

  /// Adds an ephemeral container to a pod, and returns once it is kept.
  ///
  /// @throws PeapodException NOT_FOUND; INVALID in Kubernetes' words; FAILED_PRECONDITION if the pod is at its end
  public void debug(PodKey key, EphemeralContainer container) throws InterruptedException {
    ask(key, done -> new Message.Debug(container, done));
  }

  /// Tells a pod's worker something and waits until it is done.
  private void ask(PodKey key, Function<CompletableFuture<Void>, Message> message)
      throws InterruptedException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    PodWorker worker = workers.get(key);
    if (worker == null) {
      throw PeapodException.notFound("pods \"" + key.name() + "\" not found");
    }
    worker.tell(message.apply(done));
    while (true) {
      try {
        done.get(ANSWER_LOOK.toMillis(), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        requireOpen();
        if (worker.awaitGone(Duration.ZERO)) {
          throw PeapodException.notFound("pods \"" + key.name() + "\" not found");
        }
      } catch (ExecutionException e) {
        throw e.getCause() instanceof PeapodException p
            ? p
            : PeapodException.internal("pod " + key + " can not be changed", e);
      }
    }
  }

  /// Whether what is published of a pod is what runs; after a daemon's start that takes a moment.
  public boolean isSettled(PodKey key) {
    PodWorker worker = workers.get(key);
    return worker == null || worker.isSettled();
  }

  // --- deleting

  /// Begins to delete a pod, or has a deletion that is under way go quicker.
  ///
  /// @return false if there is no such pod
  public boolean delete(PodKey key, Optional<Long> graceSeconds) {
    PodWorker worker = workers.get(key);
    if (worker == null) {
      return false;
    }
    worker.tell(new Message.Delete(graceSeconds));
    return true;
  }

  /// Has running containers of a pod end and start again.
  ///
  /// @param container empty: all that run
  /// @return the containers
  /// @throws PeapodException NOT_FOUND; FAILED_PRECONDITION if none runs
  public List<String> restart(PodKey key, String container) {
    PodWorker worker = workers.get(key);
    PodBoard.Entry entry = board.get(key).orElse(null);
    if (worker == null || entry == null) {
      throw PeapodException.notFound("pods \"" + key.name() + "\" not found");
    }
    List<String> running =
        Stream.concat(
                entry.pod().getStatus().getInitContainerStatuses().stream(),
                entry.pod().getStatus().getContainerStatuses().stream())
            .filter(status -> status.getState().getRunning() != null)
            .map(ContainerStatus::getName)
            .filter(name -> container.isEmpty() || container.equals(name))
            .toList();
    if (running.isEmpty()) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          container.isEmpty()
              ? "no container of pod " + key + " is running"
              : "container " + container + " of pod " + key + " is not running");
    }
    running.forEach(name -> worker.tell(new Message.Restart(name)));
    return running;
  }

  /// Deletes a document.
  ///
  /// @return false if there is no such document
  /// @throws PeapodException FAILED_PRECONDITION for a claim that a pod uses
  public boolean deleteObject(ObjectKey key) {
    if (key.kind() == ObjectKind.CLAIM) {
      for (PodBoard.Entry entry : board.list().entries()) {
        if (References.of(entry.pod()).contains(key)) {
          throw new PeapodException(
              Kind.FAILED_PRECONDITION,
              key + " is used by pod " + PodKey.of(entry.pod()) + "; delete the pod first");
        }
      }
    }
    boolean existed = objects.delete(key);
    if (existed) {
      changed(key);
    }
    return existed;
  }

  /// Looks now and then at volumes whose size is limited.
  private void watchVolumes() {
    try {
      while (!closed) {
        Thread.sleep(VOLUME_LOOK);
        for (PodWorker worker : workers.values()) {
          Optional<PodBoard.Entry> entry = board.get(worker.key());
          entry
              .flatMap(e -> worker.volumes().overLimit(e.pod()))
              .ifPresent(why -> worker.tell(new Message.Evict(why)));
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /// Waits until a pod that is being deleted is gone.
  ///
  /// @throws PeapodException UNAVAILABLE if the daemon stops before
  public void awaitGone(PodKey key) throws InterruptedException {
    PodWorker worker = workers.get(key);
    while (worker != null && workers.get(key) == worker) {
      requireOpen();
      worker.awaitGone(Duration.ofMillis(200));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new PeapodException(Kind.UNAVAILABLE, "the daemon is stopping");
    }
  }

  @Override
  public void close() {
    closed = true;
    watch.close();
    if (volumeWatch != null) {
      volumeWatch.interrupt();
    }
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
