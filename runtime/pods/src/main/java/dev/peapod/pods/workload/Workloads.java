package dev.peapod.pods.workload;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Keeps workloads as their documents ask for: one virtual thread that looks at all of them when a
/// pod or a document has changed or the time of one has come. Where there are none it sleeps.
public final class Workloads implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Workloads.class.getName());

  /// A clock that is put forward is noticed after this time at the latest.
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(10);
  private static final Duration CLOSE_TIME = Duration.ofSeconds(5);
  private static final int MOST_DOUBLINGS = 16;

  private final Fleet fleet;
  private final InstantSource clock;
  private final Hands hands;
  private final Claims claims;
  private final Farewell farewell;
  private final Controller<ReplicaSet> replicaSets;
  private final Controller<Deployment> deployments;
  private final Controller<DaemonSet> daemonSets;
  private final Controller<Job> jobs;
  private final Controller<CronJob> cronJobs;
  private final Semaphore changes = new Semaphore(1);
  private final Map<String, PodKey> unsettled = new HashMap<>();
  private volatile boolean any = true;
  private volatile boolean closed;
  private long revision;
  private @Nullable Thread thread;

  /// @param config its back-off is that of jobs whose pods fail
  public Workloads(Fleet fleet, PodsConfig config, InstantSource clock) {
    this.fleet = fleet;
    this.clock = clock;
    this.hands = new Hands(fleet);
    this.claims = new Claims(fleet, hands);
    this.farewell = new Farewell(fleet, hands, claims);
    this.replicaSets = new ReplicaSetController(hands);
    this.deployments = new DeploymentController(hands);
    this.daemonSets = new DaemonSetController(hands);
    this.jobs = new JobController(hands, failures -> wait(config, failures));
    this.cronJobs = new CronJobController(hands);
  }

  private static Duration wait(PodsConfig config, int failures) {
    Duration wait = config.backOffBase().multipliedBy(1L << Math.min(MOST_DOUBLINGS, failures - 1));
    return wait.compareTo(config.backOffMax()) > 0 ? config.backOffMax() : wait;
  }

  /// Begins to look; pods that an earlier daemon has made are there already.
  public void start() {
    PodBoard.Listing present = fleet.board().list();
    revision = present.revision();
    for (PodBoard.Entry entry : present.entries()) {
      unsettled.put(entry.pod().getMetadata().getUid(), PodKey.of(entry.pod()));
    }
    fleet.objects().onChange(changes::release);
    fleet
        .board()
        .onChange(
            () -> {
              if (any) {
                changes.release();
              }
            });
    thread = Thread.ofVirtual().name("workloads").start(this::run);
  }

  private void run() {
    try {
      Duration wait = Duration.ZERO;
      while (!closed) {
        if (any) {
          changes.tryAcquire(wait.toMillis(), TimeUnit.MILLISECONDS);
        } else {
          changes.acquire();
        }
        // Changes come in bursts.
        Thread.sleep(PAUSE);
        changes.drainPermits();
        if (!closed) {
          wait = look();
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /// Looks at everything once.
  ///
  /// @return how long to wait if nobody tells of a change
  private Duration look() throws InterruptedException {
    try {
      settle();
      settleWhatBelongs();
      PodBoard.Listing listing = fleet.board().list();
      List<Pod> gone = gone(listing.revision());
      List<Pod> pods = listing.entries().stream().map(PodBoard.Entry::pod).toList();
      Scene scene = new Scene(fleet.objects(), pods, gone, clock.instant());
      removeOrphans(pods);
      List<Instant> due = new ArrayList<>();
      for (ObjectKey key : workloads()) {
        fleet
            .objects()
            .get(key)
            .filter(workload -> !Farewell.isGoing(workload))
            .flatMap(workload -> reconcile(workload, scene))
            .ifPresent(due::add);
      }
      any = !workloads().isEmpty();
      hands.forgetAllBut(Stream.concat(pods.stream(), gone.stream()).toList());
      return due.stream()
          .map(at -> Duration.between(clock.instant(), at).plusMillis(1))
          .map(wait -> wait.isNegative() ? Duration.ZERO : wait)
          .min(Duration::compareTo)
          .filter(wait -> wait.compareTo(LONGEST_WAIT) < 0)
          .orElse(LONGEST_WAIT);
    } catch (RuntimeException e) {
      LOG.log(Logger.Level.WARNING, "can not look at workloads: " + e, e);
      return Timing.SOON;
    }
  }

  private void settleWhatBelongs() throws InterruptedException {
    for (ObjectKey key : workloads()) {
      Optional<HasMetadata> workload = fleet.objects().get(key);
      try {
        if (workload.filter(Farewell::isGoing).isPresent()) {
          farewell.goOn(workload.get());
        } else if (workload.isPresent()) {
          claims.adopt(workload.get());
        }
      } catch (RuntimeException e) {
        LOG.log(Logger.Level.WARNING, key + ": " + e, e);
      }
    }
  }

  /// In the order of their kinds: what has pods before what has it for its own.
  private List<ObjectKey> workloads() {
    return fleet.objects().list().stream()
        .map(ObjectKey::of)
        .filter(key -> key.kind().isWorkload())
        .toList();
  }

  /// One that is in trouble is none of the others' business.
  private Optional<Instant> reconcile(HasMetadata workload, Scene scene) {
    try {
      if (isUnsettled(workload, scene)) {
        return Optional.of(scene.now().plus(Timing.SOON));
      }
      return switch (workload) {
        case ReplicaSet set -> replicaSets.reconcile(set, scene);
        case Deployment deployment -> deployments.reconcile(deployment, scene);
        case DaemonSet set -> daemonSets.reconcile(set, scene);
        case Job job -> jobs.reconcile(job, scene);
        case CronJob cron -> cronJobs.reconcile(cron, scene);
        default -> Optional.empty();
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (RuntimeException e) {
      LOG.log(Logger.Level.WARNING, ObjectKey.of(workload) + ": " + e, e);
      return Optional.of(scene.now().plus(Timing.SOON));
    }
  }

  /// Until the runtime has said what runs of an earlier daemon's pods, nothing is done about them.
  private void settle() {
    unsettled.entrySet().removeIf(pod -> fleet.isSettled(pod.getValue()));
  }

  private boolean isUnsettled(HasMetadata workload, Scene scene) {
    return !unsettled.isEmpty()
        && (isUnsettled(scene.pods(workload))
            || scene.owned(workload, ReplicaSet.class).stream()
                .anyMatch(set -> isUnsettled(scene.pods(set))));
  }

  private boolean isUnsettled(List<Pod> pods) {
    return pods.stream().anyMatch(pod -> unsettled.containsKey(pod.getMetadata().getUid()));
  }

  /// The pods that have gone since the last look.
  private List<Pod> gone(long until) throws InterruptedException {
    long after = revision;
    revision = until;
    try {
      return fleet.board().await(after, 0).stream()
          .filter(change -> change.revision() <= until)
          .filter(change -> change.type() == PodBoard.ChangeType.DELETED)
          .map(change -> change.entry().pod())
          .toList();
    } catch (PeapodException e) {
      // There was nothing to look at for long, and these changes are forgotten.
      return List.of();
    }
  }

  /// What was made for somebody goes when he is gone; not when it can not be read what he is.
  private void removeOrphans(List<Pod> pods) {
    List<HasMetadata> objects = fleet.objects().list();
    Set<String> uids =
        objects.stream().map(object -> object.getMetadata().getUid()).collect(Collectors.toSet());
    for (HasMetadata object : objects) {
      if (isOrphan(object, uids)) {
        hands.delete(ObjectKey.of(object));
      }
    }
    for (Pod pod : pods) {
      if (isOrphan(pod, uids) && !hands.isGoing(pod)) {
        LOG.log(Logger.Level.DEBUG, "pod {0} has lost what it was made for", PodKey.of(pod));
        hands.delete(pod);
      }
    }
  }

  private boolean isOrphan(HasMetadata object, Set<String> uids) {
    Optional<OwnerReference> lost =
        Owners.controller(object).filter(owner -> !uids.contains(owner.getUid()));
    String namespace = object.getMetadata().getNamespace();
    return lost.flatMap(owner -> ObjectKind.ofKind(owner.getKind()))
        .map(kind -> new ObjectKey(kind, namespace, lost.get().getName()))
        .filter(key -> !fleet.objects().isUnread(key))
        .isPresent();
  }

  @Override
  public void close() {
    closed = true;
    changes.release();
    try {
      // It may be writing; an interrupt would break that off.
      if (thread != null && !thread.join(CLOSE_TIME)) {
        thread.interrupt();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
