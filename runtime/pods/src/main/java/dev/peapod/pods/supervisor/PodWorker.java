package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.backoff.BackOff;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.object.References;
import dev.peapod.pods.supervisor.ContainerSlot.Role;
import dev.peapod.pods.supervisor.StatusReport.Failure;
import dev.peapod.pods.volume.PodVolumes;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.io.IOException;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The one owner of a pod's state: a virtual thread that takes messages one after the other,
/// decides what is to be done next and has threads of short life do it. Everything but [#tell],
/// [#awaitGone] and the constructor happens on that thread.
final class PodWorker {
  private static final Logger LOG = System.getLogger(PodWorker.class.getName());
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  private static final Duration OVERDUE_WAIT = Duration.ofMillis(20);
  private static final Duration REMOVAL_RETRY = Duration.ofMillis(200);

  /// What runs is written down for the daemon after a reboot, but no start waits for a disk.
  private static final Duration SAVE_AFTER_START = Duration.ofSeconds(2);

  private final Shared shared;
  private final Consumer<PodWorker> gone;
  private final PodPaths paths;
  private final PodKey key;
  private final LinkedBlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;

  private final List<ContainerSlot> inits;
  private final List<ContainerSlot> mains;
  private final List<ContainerSlot> ephemerals = new ArrayList<>();
  private final PodVolumes volumes;
  private final SandboxKeeper sandbox;
  private final ContainerKeeper containers;
  private final StatusReport report;
  private final @Nullable PodStatus earlier;

  private volatile Pod pod;
  private boolean adopted;
  private boolean finished;
  private Optional<Failure> failure;
  private @Nullable Thread ending;
  private boolean removing;
  private String removalProblem = "";
  private boolean statusChanged;
  private Optional<Instant> saveAt = Optional.empty();

  private volatile boolean settled;
  private volatile boolean closing;
  private volatile long grace;

  /// The pod as it was last applied.
  Pod pod() {
    return pod;
  }

  /// @param gone told once the pod is removed, from the worker's thread
  PodWorker(Shared shared, PodStore.Stored stored, Consumer<PodWorker> gone) {
    this.shared = shared;
    this.gone = gone;
    this.pod = stored.pod();
    this.earlier = stored.status().orElse(null);
    this.paths = PodPaths.of(shared.config(), pod);
    this.key = PodKey.of(pod);
    this.inits =
        pod.getSpec().getInitContainers().stream()
            .map(c -> slot(c, RestartRules.isSidecar(c) ? Role.SIDECAR : Role.INIT))
            .toList();
    this.mains = pod.getSpec().getContainers().stream().map(c -> slot(c, Role.MAIN)).toList();
    pod.getSpec().getEphemeralContainers().forEach(this::addEphemeral);
    this.volumes = new PodVolumes(paths.directory(), shared.objects());
    this.sandbox = new SandboxKeeper(shared, key, paths, volumes, this::tell);
    this.containers = new ContainerKeeper(shared, pod, paths, volumes, this::tell);
    this.report = new StatusReport(earlier, shared.clock().instant());
    this.failure = StatusReport.failure(earlier);
    this.thread = Thread.ofVirtual().name("pod " + key).unstarted(this::run);
    stored.deletionGrace().ifPresent(seconds -> tell(new Message.Delete(Optional.of(seconds))));
  }

  private ContainerSlot slot(Container container, Role role) {
    var config = shared.config();
    return new ContainerSlot(
        container,
        role,
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()),
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()));
  }

  private void addEphemeral(EphemeralContainer container) {
    ContainerSlot slot = slot(EphemeralContainers.container(container), Role.EPHEMERAL);
    slot.target =
        slots()
            .filter(other -> other.name().equals(container.getTargetContainerName()))
            .findFirst()
            .orElse(null);
    ephemerals.add(slot);
  }

  void start() {
    publish();
    thread.start();
  }

  void tell(Message message) {
    mailbox.add(message);
  }

  /// Waits until the pod is removed (or the worker closed); false if it was not in time.
  boolean awaitGone(Duration time) throws InterruptedException {
    return ended.await(time.toMillis(), TimeUnit.MILLISECONDS);
  }

  PodKey key() {
    return key;
  }

  /// Whether what is published is what runs; after a daemon's start that takes a moment.
  boolean isSettled() {
    return settled;
  }

  String uid() {
    return pod.getMetadata().getUid();
  }

  // --- the loop

  private void run() {
    try {
      while (!closing) {
        Message message = mailbox.poll(untilDue().toMillis(), TimeUnit.MILLISECONDS);
        boolean changed = message == null;
        try {
          for (; message != null && !closing; message = mailbox.poll()) {
            changed |= handle(message);
          }
          if (changed && !closing) {
            reconcile();
            publish();
          }
        } catch (RuntimeException e) {
          // The runtime is away, or a defect: tried again after the next message.
          LOG.log(Logger.Level.WARNING, "pod " + key + ": " + e, e);
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    } finally {
      slots().forEach(ContainerSlot::endProbes);
      ended.countDown();
    }
  }

  /// How long there is nothing to do unless a message comes.
  private Duration untilDue() {
    if (removing || finished || !adopted) {
      return LONGEST_WAIT;
    }
    Stream<Instant> times =
        sandbox.isUp()
            ? turn()
                .filter(slot -> !slot.isBusy())
                .flatMap(s -> ContainerKeeper.dueAt(s).stream())
            : sandbox.retryAt().stream();
    times = Stream.concat(times, Stream.concat(deadline().stream(), saveAt.stream()));
    Instant now = shared.clock().instant();
    return times
        .map(at -> Duration.between(now, at))
        .map(wait -> wait.isNegative() ? OVERDUE_WAIT : wait.plusMillis(1))
        .min(Duration::compareTo)
        .filter(wait -> wait.compareTo(LONGEST_WAIT) < 0)
        .orElse(LONGEST_WAIT);
  }

  /// Takes one message and answers whether anything may be different now.
  private boolean handle(Message message) {
    switch (message) {
      case Message.Observed observed -> {
        return !removing && observed(observed);
      }
      case Message.SandboxMade made -> sandbox.made(made);
      case Message.SandboxFailed failed -> sandbox.failed(failed);
      case Message.SandboxStopped() -> sandbox.stopped();
      case Message.Started started -> {
        statusChanged |= containers.started(pod, started, sandbox.ip());
        saveAt = saveAt.or(() -> Optional.of(shared.clock().instant().plus(SAVE_AFTER_START)));
      }
      case Message.PostStarted hook -> {
        if (!removing) {
          containers.postStarted(pod, hook, sandbox.ip());
        }
      }
      case Message.Restart restart -> restart(restart);
      case Message.ObjectChanged changed -> objectChanged(changed);
      case Message.Evict evict -> {
        if (!removing && !finished) {
          fail("Evicted", evict.message());
        }
      }
      case Message.Ended() -> {
        shared.look().run();
      }
      case Message.NotCreated failed -> containers.notCreated(failed);
      case Message.NotStarted failed -> {
        containers.notStarted(failed);
        statusChanged = true;
      }
      case Message.Stopped stopped -> containers.stopped(stopped);
      case Message.Resized resized -> {
        containers.resized(resized);
        statusChanged = true;
      }
      case Message.Probed probed -> {
        if (!removing) {
          containers.probed(pod, probed, sandbox.ip());
        }
      }
      case Message.Delete delete -> delete(delete);
      case Message.Configure configure -> answer(configure.done(), () -> configure(configure));
      case Message.Debug debug -> answer(debug.done(), () -> debug(debug.container()));
      case Message.Removed removed -> removed(removed);
      case Message.Close() -> {
        closing = true;
        interruptOperations();
      }
    }
    return true;
  }

  // --- what is known

  private boolean observed(Message.Observed observed) {
    if (!adopted) {
      adopt(observed);
      return true;
    }
    if (sandbox.isLost(observed)) {
      slots().filter(ContainerSlot::isAlive).forEach(containers::exited);
      // Init containers make ready what is in the pod: they run again in a new sandbox.
      inits.forEach(ContainerSlot::again);
      statusChanged = true;
      return true;
    }
    boolean changed = ending != null;
    if (ending != null && !ending.isAlive()) {
      ending = null;
    }
    for (ContainerSlot slot : slots().toList()) {
      changed |= containers.compare(pod, slot, observed, sandbox.ip());
    }
    statusChanged |= changed;
    return changed;
  }

  private void adopt(Message.Observed observed) {
    slots().forEach(ContainerSlot::forget);
    sandbox.adopt(Adoption.adopt(shared.cri(), paths, observed, slots().toList(), earlier));
    adopted = true;
    if (!sandbox.isUp()
        && failure.isEmpty()
        && !PodPhase.isFinal(PodPhase.of(pod, inits, mains))) {
      // As when a sandbox is lost while we look.
      inits.forEach(ContainerSlot::again);
    }
    slots()
        .filter(ContainerSlot::isAlive)
        .forEach(slot -> Probes.begin(shared, pod, slot, sandbox.ip(), this::tell));
    if (mains.stream().anyMatch(slot -> slot.isAlive() || slot.ended != null)) {
      inits.stream().filter(ContainerSlot::isAlive).forEach(slot -> slot.startedOnce = true);
    }
    statusChanged = true;
  }

  // --- what is to be done

  private void reconcile() {
    if (removing || !adopted) {
      return;
    }
    if (failure.isEmpty() && !finished && deadline().filter(this::isPast).isPresent()) {
      fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
    }
    finished = failure.isPresent() || PodPhase.isFinal(PodPhase.of(pod, inits, mains));
    if (finished) {
      end();
    } else if (sandbox.isUp()) {
      turn().forEach(slot -> containers.runIfDue(pod, slot, sandbox));
      slots().forEach(slot -> containers.conform(pod, slot, sandbox));
    } else if (slots().noneMatch(ContainerSlot::isBusy)) {
      sandbox.makeIfDue(pod);
    }
  }

  /// The containers that are to run now if they do not.
  private Stream<ContainerSlot> turn() {
    return Stream.concat(
        PodPhase.turn(pod, inits, mains),
        ephemerals.stream().filter(slot -> RestartRules.wantsToRun(pod, slot)));
  }

  private Optional<Instant> deadline() {
    return Optional.ofNullable(pod.getSpec().getActiveDeadlineSeconds())
        .map(seconds -> report.startTime().plusSeconds(seconds));
  }

  private boolean isPast(Instant time) {
    return !shared.clock().instant().isBefore(time);
  }

  /// The pod as a whole has failed: nothing of it runs again.
  private void fail(String reason, String message) {
    failure = Optional.of(new Failure(reason, message));
    shared.events().warning(key, "", reason, message);
    statusChanged = true;
  }

  /// Stops what runs of a finished pod, and its sandbox when nothing does any more.
  private void end() {
    if (slots().noneMatch(slot -> slot.isAlive() || slot.isBusy())) {
      statusChanged |= sandbox.stopForGood();
    } else if (ending == null) {
      slots().forEach(ContainerSlot::endProbes);
      List<Thread> operations = interruptOperations();
      Pod last = with(pod.getMetadata(), status());
      ending =
          Thread.ofVirtual()
              .name("end " + key)
              .start(
                  () -> {
                    try {
                      for (Thread operation : operations) {
                        operation.join();
                      }
                      PodStop.run(shared, last, () -> ContainerKeeper.grace(last));
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    } catch (RuntimeException e) {
                      shared.events().warning(key, "", "FailedKillPod", String.valueOf(e));
                    }
                    tell(new Message.Ended());
                  });
    }
  }

  // --- the end

  private void delete(Message.Delete delete) {
    long wanted = delete.graceSeconds().orElse(pod.getSpec().getTerminationGracePeriodSeconds());
    if (removing && wanted >= grace) {
      return;
    }
    grace = wanted;
    shared.store().saveDeletion(pod, wanted);
    Instant end = shared.clock().instant().plusSeconds(wanted);
    pod =
        with(
            new ObjectMetaBuilder(pod.getMetadata())
                .withDeletionTimestamp(StatusReport.text(end))
                .withDeletionGracePeriodSeconds(wanted)
                .build(),
            null);
    if (removing) {
      containers.hurry(slots().toList(), Duration.ofSeconds(wanted));
      return;
    }
    removing = true;
    slots().forEach(ContainerSlot::endProbes);
    List<Thread> operations = interruptOperations();
    if (ending != null) {
      ending.interrupt();
      operations.add(ending);
    }
    Pod last = with(pod.getMetadata(), status());
    Thread.ofVirtual().name("remove " + key).start(() -> remove(last, operations));
  }

  /// Runs on a thread of its own until the pod is gone or the daemon ends; the next daemon goes on
  /// with it.
  private void remove(Pod last, List<Thread> operations) {
    Duration pause = REMOVAL_RETRY;
    try {
      for (Thread operation : operations) {
        operation.join();
      }
      while (!closing) {
        try {
          PodRemoval.run(shared, last, () -> grace);
          tell(new Message.Removed(""));
          return;
        } catch (IOException | RuntimeException e) {
          String why = "can not remove the pod: " + e.getMessage();
          shared.events().warning(key, "", "FailedKillPod", why);
          tell(new Message.Removed(why));
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : pause;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void removed(Message.Removed removed) {
    removalProblem = removed.problem();
    if (removalProblem.isEmpty()) {
      closing = true;
      shared.board().remove(key);
      shared.events().forget(key);
      gone.accept(this);
    }
  }

  private List<Thread> interruptOperations() {
    List<Thread> operations = new ArrayList<>();
    for (ContainerSlot slot : slots().toList()) {
      if (slot.operation != null) {
        operations.add(slot.operation);
      }
    }
    sandbox.operation().ifPresent(operations::add);
    operations.forEach(Thread::interrupt);
    return operations;
  }

  private void restart(Message.Restart restart) {
    if (removing || finished) {
      return;
    }
    slots()
        .filter(slot -> slot.name().equals(restart.container()))
        .filter(slot -> slot.state == ContainerSlot.State.RUNNING && !slot.isBusy())
        .forEach(
            slot -> {
              slot.restartWanted = true;
              slot.crashes.clear();
              String why = "Container " + slot.name() + " will be restarted, as was asked for";
              containers.stop(pod, slot, sandbox.ip(), why, ContainerKeeper.grace(pod));
            });
  }

  private void objectChanged(Message.ObjectChanged changed) {
    if (!removing && References.of(pod).contains(changed.key())) {
      sandbox.retryNow();
      ContainerKeeper.retryNow(slots().toList());
      refreshVolumes();
    }
  }

  /// Has running containers see what documents and metadata say now.
  private void refreshVolumes() {
    if (!sandbox.isUp()) {
      return;
    }
    Pod now = pod;
    PodFields fields = new PodFields(now, sandbox.ips(), shared.config().nodeName());
    Thread.ofVirtual()
        .name("volumes " + key)
        .start(
            () ->
                volumes
                    .refresh(now, fields)
                    .forEach(why -> shared.events().warning(key, "", "FailedMount", why)));
  }

  /// The pod's volumes; thread-safe.
  PodVolumes volumes() {
    return volumes;
  }

  /// Does what somebody waits for, and tells how it went.
  private void answer(CompletableFuture<Void> done, Runnable work) {
    try {
      work.run();
      publish();
      done.complete(null);
    } catch (RuntimeException e) {
      done.completeExceptionally(e);
    }
  }

  private void debug(EphemeralContainer asked) {
    if (removing || finished) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "pod " + key + (removing ? " is being deleted" : " has ended; nothing more runs in it"));
    }
    PodSpec spec = EphemeralContainers.add(pod, asked);
    Pod changed = new Pod(pod.getApiVersion(), pod.getKind(), pod.getMetadata(), spec, null);
    shared.store().savePod(changed);
    pod = changed;
    addEphemeral(spec.getEphemeralContainers().getLast());
  }

  private void configure(Message.Configure configure) {
    Pod asked =
        EphemeralContainers.with(configure.asked(), pod.getSpec().getEphemeralContainers());
    ObjectMeta metadata =
        new ObjectMetaBuilder(pod.getMetadata())
            .withLabels(asked.getMetadata().getLabels())
            .withAnnotations(asked.getMetadata().getAnnotations())
            .build();
    Pod changed = new Pod(pod.getApiVersion(), pod.getKind(), metadata, asked.getSpec(), null);
    shared.store().savePod(changed);
    pod = changed;
    for (Container spec : Resources.all(pod)) {
      slots().filter(slot -> slot.name().equals(spec.getName())).forEach(slot -> change(slot, spec));
    }
    refreshVolumes();
  }

  private static void change(ContainerSlot slot, Container spec) {
    if (!slot.spec.getImage().equals(spec.getImage())) {
      slot.pulls.clear();
      slot.retryAt = Optional.empty();
    }
    slot.spec = spec;
    slot.resizeProblem = "";
  }

  // --- telling

  private void publish() {
    if (closing) {
      return;
    }
    PodStatus status = status();
    String problem = removing ? removalProblem : sandbox.problem();
    shared.board().publish(with(pod.getMetadata(), status), problem);
    settled = adopted;
    boolean due = statusChanged || saveAt.filter(this::isPast).isPresent();
    if (due && adopted && !removing) {
      shared.store().saveStatus(pod, status);
      statusChanged = false;
      saveAt = Optional.empty();
    }
  }

  private PodStatus status() {
    return report.report(
        pod,
        inits,
        mains,
        ephemerals,
        sandbox.isUp(),
        sandbox.ips(),
        failure,
        shared.clock().instant());
  }

  /// The pod with other metadata and status; neither is changed once it is part of a pod.
  private Pod with(ObjectMeta metadata, @Nullable PodStatus status) {
    return new Pod(pod.getApiVersion(), pod.getKind(), metadata, pod.getSpec(), status);
  }

  private Stream<ContainerSlot> slots() {
    return Stream.of(inits, mains, ephemerals).flatMap(List::stream);
  }
}
