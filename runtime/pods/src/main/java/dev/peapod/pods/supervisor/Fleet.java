package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
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
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All pods and their workers: applying, deleting, looking. Thread-safe.
public final class Fleet implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Fleet.class.getName());
  private static final Duration VOLUME_LOOK = Duration.ofSeconds(10);

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
  private final Workers workers;
  private final Applier applier;
  private @Nullable Thread volumeWatch;

  /// @param weigh told of all pods whenever one has come or gone
  public Fleet(Cri cri, PodsConfig config, InstantSource clock, Consumer<Collection<Pod>> weigh) {
    this.cri = cri;
    this.workers = new Workers(weigh);
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
    this.applier = new Applier(shared, workers);
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
      if (workers.has(key)) {
        LOG.log(
            Logger.Level.WARNING,
            "pod "
                + key
                + " is stored twice; "
                + stored.pod().getMetadata().getUid()
                + " is left out");
        continue;
      }
      workers.run(shared, stored);
    }
    Thread.ofVirtual().name("orphans").start(this::removeOrphans);
    watch.start();
    watch.poke();
    volumeWatch = Thread.ofVirtual().name("volume limits").start(this::watchVolumes);
  }

  private void seen(RuntimeWatch.Look look) {
    for (PodWorker worker : workers.all()) {
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
      Set<String> known = workers.all().stream().map(PodWorker::uid).collect(Collectors.toSet());
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
    results.putAll(applier.apply(pods, replace, dryRun, () -> putObjects(manifests, replace)));
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
    workers.tellAll(new Message.ObjectChanged(key));
  }

  /// Adds an ephemeral container to a pod, and returns once it is kept.
  ///
  /// @throws PeapodException NOT_FOUND; INVALID in Kubernetes' words; FAILED_PRECONDITION if the pod is at its end
  public void debug(PodKey key, EphemeralContainer container) throws InterruptedException {
    workers.ask(key, done -> new Message.Debug(container, done));
  }

  /// Says to whom a pod belongs, and returns once that is kept; one that is going goes as it is.
  ///
  /// @throws PeapodException NOT_FOUND
  public void own(PodKey key, List<OwnerReference> owners) throws InterruptedException {
    workers.ask(key, done -> new Message.Own(owners, done));
  }

  /// Whether what is published of a pod is what runs; after a daemon's start that takes a moment.
  public boolean isSettled(PodKey key) {
    return workers.get(key).map(PodWorker::isSettled).orElse(true);
  }

  // --- deleting

  /// Begins to delete a pod, or has a deletion that is under way go quicker.
  ///
  /// @return false if there is no such pod
  public boolean delete(PodKey key, Optional<Long> graceSeconds) {
    return workers.tell(key, new Message.Delete(graceSeconds));
  }

  /// Has running containers of a pod end and start again.
  ///
  /// @param container empty: all that run
  /// @return the containers
  /// @throws PeapodException NOT_FOUND; FAILED_PRECONDITION if none runs
  public List<String> restart(PodKey key, String container) {
    PodWorker worker = workers.get(key).orElseThrow(() -> Workers.notFound(key));
    PodBoard.Entry entry = board.get(key).orElseThrow(() -> Workers.notFound(key));
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
      events.forget(EventLog.Subject.of(key));
      changed(key);
    }
    return existed;
  }

  /// Looks now and then at volumes whose size is limited.
  private void watchVolumes() {
    try {
      while (!workers.isClosed()) {
        Thread.sleep(VOLUME_LOOK);
        for (PodWorker worker : workers.all()) {
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
    workers.awaitGone(key);
  }

  @Override
  public void close() {
    watch.close();
    if (volumeWatch != null) {
      volumeWatch.interrupt();
    }
    workers.close();
  }
}
