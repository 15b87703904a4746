package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.object.References;
import dev.peapod.pods.supervisor.StatusReport.Failure;
import dev.peapod.pods.volume.PodVolumes;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
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

  private final Shared shared;
  private final Consumer<PodWorker> gone;
  private final PodPaths paths;
  private final PodKey key;
  private final LinkedBlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;

  private final Slots slots;
  private final PodVolumes volumes;
  private final SandboxKeeper sandbox;
  private final ContainerKeeper containers;
  private final PodEnd end;
  private final PodRecord record;
  private final StatusReport report;
  private final @Nullable PodStatus earlier;

  private final PodDocument document;
  private boolean adopted;
  private boolean finished;
  private Optional<Failure> failure;

  private volatile boolean settled;
  private volatile boolean closing;

  /// @param gone told once the pod is removed, from the worker's thread
  PodWorker(Shared shared, PodStore.Stored stored, Consumer<PodWorker> gone) {
    this.shared = shared;
    this.gone = gone;
    Pod pod = stored.pod();
    this.document = new PodDocument(shared.store(), pod);
    this.earlier = stored.status().orElse(null);
    this.paths = PodPaths.of(shared.config(), pod);
    this.key = PodKey.of(pod);
    this.slots = new Slots(pod, shared.config());
    this.volumes = new PodVolumes(paths.directory(), shared.objects());
    this.sandbox = new SandboxKeeper(shared, key, paths, volumes, this::tell);
    this.containers = new ContainerKeeper(shared, pod, paths, volumes, this::tell);
    this.end = new PodEnd(shared, key, this::tell);
    this.record = new PodRecord(shared);
    this.report = new StatusReport(earlier, shared.cri()::name, shared.clock().instant());
    this.failure = StatusReport.failure(earlier);
    this.thread = Thread.ofVirtual().name("pod " + key).unstarted(this::run);
    stored.deletionGrace().ifPresent(seconds -> tell(new Message.Delete(Optional.of(seconds))));
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

  /// The pod as it is to be, without a status; thread-safe.
  Pod pod() {
    return document.get();
  }

  /// Whether what is published is what runs; after a daemon's start that takes a moment.
  boolean isSettled() {
    return settled;
  }

  String uid() {
    return pod().getMetadata().getUid();
  }

  /// The pod's volumes; thread-safe.
  PodVolumes volumes() {
    return volumes;
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
      slots.endProbes();
      ended.countDown();
    }
  }

  /// How long there is nothing to do unless a message comes.
  private Duration untilDue() {
    if (end.isRemoving() || finished || !adopted) {
      return LONGEST_WAIT;
    }
    Stream<Instant> times =
        sandbox.isUp()
            ? slots
                .turn(pod())
                .filter(slot -> !slot.isBusy())
                .flatMap(s -> ContainerKeeper.dueAt(s).stream())
            : sandbox.retryAt().stream();
    times = Stream.concat(times, Stream.concat(deadline().stream(), record.saveAt().stream()));
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
        return !end.isRemoving() && observed(observed);
      }
      case Message.SandboxMade made -> sandbox.made(made);
      case Message.SandboxFailed failed -> sandbox.failed(failed);
      case Message.SandboxStopped() -> sandbox.stopped();
      case Message.Started started -> {
        record.change(containers.started(pod(), started, sandbox.ip()));
        record.changeSoon();
      }
      case Message.PostStarted hook -> {
        if (!end.isRemoving()) {
          containers.postStarted(pod(), hook, sandbox.ip());
        }
      }
      case Message.Restart restart -> restart(restart);
      case Message.ObjectChanged changed -> objectChanged(changed);
      case Message.Evict evict -> {
        if (!end.isRemoving() && !finished) {
          fail("Evicted", evict.message());
        }
      }
      case Message.Ended() -> {
        shared.look().run();
      }
      case Message.NotCreated failed -> containers.notCreated(failed);
      case Message.NotStarted failed -> {
        containers.notStarted(failed);
        record.change();
      }
      case Message.Stopped stopped -> containers.stopped(stopped);
      case Message.Resized resized -> {
        containers.resized(resized);
        record.change();
      }
      case Message.Probed probed -> {
        if (!end.isRemoving()) {
          boolean before = probed.slot().ready;
          containers.probed(pod(), probed, sandbox.ip());
          if (probed.slot().ready != before) {
            record.changeSoon();
          }
        }
      }
      case Message.Delete delete -> delete(delete);
      case Message.Configure configure -> answer(configure.done(), () -> configure(configure.asked()));
      case Message.Own own -> answer(own.done(), () -> own(own.owners()));
      case Message.Debug debug -> answer(debug.done(), () -> debug(debug.container()));
      case Message.Removed removed -> removed(removed);
      case Message.Close() -> close();
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
      slots.all().filter(ContainerSlot::isAlive).forEach(containers::exited);
      // Init containers make ready what is in the pod: they run again in a new sandbox.
      slots.inits().forEach(ContainerSlot::again);
      record.change();
      return true;
    }
    boolean changed = end.isStopping();
    end.look();
    for (ContainerSlot slot : slots.all().toList()) {
      changed |= containers.compare(pod(), slot, observed, sandbox.ip());
    }
    record.change(changed);
    return changed;
  }

  private void adopt(Message.Observed observed) {
    slots.all().forEach(ContainerSlot::forget);
    sandbox.adopt(Adoption.adopt(shared.cri(), paths, observed, slots.all().toList(), earlier));
    adopted = true;
    if (!sandbox.isUp() && failure.isEmpty() && !PodPhase.isFinal(slots.phase(pod()))) {
      // As when a sandbox is lost while we look.
      slots.inits().forEach(ContainerSlot::again);
    }
    slots
        .all()
        .filter(ContainerSlot::isAlive)
        .forEach(
            slot ->
                Probes.resume(
                    shared,
                    pod(),
                    slot,
                    Adoption.reported(slot, earlier),
                    sandbox.ip(),
                    this::tell));
    if (slots.mains().stream().anyMatch(slot -> slot.isAlive() || slot.ended != null)) {
      slots.inits().stream()
          .filter(ContainerSlot::isAlive)
          .forEach(slot -> slot.startedOnce = true);
    }
    record.change();
  }

  // --- what is to be done

  private void reconcile() {
    if (end.isRemoving() || !adopted) {
      return;
    }
    if (failure.isEmpty() && !finished && deadline().filter(this::isPast).isPresent()) {
      fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
    }
    finished = failure.isPresent() || PodPhase.isFinal(slots.phase(pod()));
    if (finished) {
      finish();
    } else if (sandbox.isUp()) {
      slots.turn(pod()).forEach(slot -> containers.runIfDue(pod(), slot, sandbox));
      slots.all().forEach(slot -> containers.conform(pod(), slot, sandbox));
    } else if (slots.all().noneMatch(ContainerSlot::isBusy)) {
      sandbox.makeIfDue(pod());
    }
  }

  private Optional<Instant> deadline() {
    return Optional.ofNullable(pod().getSpec().getActiveDeadlineSeconds())
        .map(seconds -> report.startTime().plusSeconds(seconds));
  }

  private boolean isPast(Instant time) {
    return !shared.clock().instant().isBefore(time);
  }

  /// The pod as a whole has failed: nothing of it runs again.
  private void fail(String reason, String message) {
    failure = Optional.of(new Failure(reason, message));
    shared.events().warning(key, "", reason, message);
    record.change();
  }

  /// Stops what runs of a finished pod, and its sandbox when nothing does any more.
  private void finish() {
    if (slots.isQuiet()) {
      record.change(sandbox.stopForGood());
    } else if (!end.isStopping()) {
      slots.endProbes();
      end.stop(document.with(status()), interruptOperations());
    }
  }

  // --- the end

  private void delete(Message.Delete delete) {
    long wanted = delete.graceSeconds().orElse(pod().getSpec().getTerminationGracePeriodSeconds());
    if (!end.isNews(wanted)) {
      return;
    }
    end.within(wanted);
    document.delete(shared.clock().instant(), wanted);
    if (end.isRemoving()) {
      containers.hurry(slots.all().toList(), Duration.ofSeconds(wanted));
      return;
    }
    slots.endProbes();
    end.remove(document.with(status()), interruptOperations());
  }

  private void removed(Message.Removed removed) {
    end.problem(removed.problem());
    if (removed.problem().isEmpty()) {
      closing = true;
      shared.board().remove(key);
      shared.events().forget(EventLog.Subject.of(key));
      gone.accept(this);
    }
  }

  private void close() {
    closing = true;
    end.close();
    interruptOperations();
    if (adopted && !end.isRemoving()) {
      record.close(document.with(status()));
    }
  }

  private List<Thread> interruptOperations() {
    List<Thread> operations = slots.operations();
    sandbox.operation().ifPresent(operations::add);
    operations.forEach(Thread::interrupt);
    return operations;
  }

  // --- what is asked for

  private void restart(Message.Restart restart) {
    if (end.isRemoving() || finished) {
      return;
    }
    slots
        .named(restart.container())
        .filter(slot -> slot.state == ContainerSlot.State.RUNNING && !slot.isBusy())
        .forEach(
            slot -> {
              slot.restartWanted = true;
              slot.crashes.clear();
              String why = "Container " + slot.name() + " will be restarted, as was asked for";
              containers.stop(pod(), slot, sandbox.ip(), why, ContainerKeeper.grace(pod()));
            });
  }

  private void objectChanged(Message.ObjectChanged changed) {
    if (!end.isRemoving() && References.of(pod()).contains(changed.key())) {
      sandbox.retryNow();
      ContainerKeeper.retryNow(slots.all().toList());
      refreshVolumes();
    }
  }

  /// Has running containers see what documents and metadata say now.
  private void refreshVolumes() {
    if (!sandbox.isUp()) {
      return;
    }
    Pod now = pod();
    PodFields fields = new PodFields(now, sandbox.ips(), shared.config().nodeName());
    Thread.ofVirtual()
        .name("volumes " + key)
        .start(
            () ->
                volumes
                    .refresh(now, fields)
                    .forEach(why -> shared.events().warning(key, "", "FailedMount", why)));
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
    if (end.isRemoving() || finished) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "pod "
              + key
              + (end.isRemoving() ? " is being deleted" : " has ended; nothing more runs in it"));
    }
    slots.add(document.add(asked));
  }

  private void own(List<OwnerReference> owners) {
    if (!end.isRemoving()) {
      document.own(owners);
    }
  }

  private void configure(Pod asked) {
    document.configure(asked);
    for (Container spec : Resources.all(pod())) {
      slots.named(spec.getName()).forEach(slot -> change(slot, spec));
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
    Pod now = document.with(status());
    shared.board().publish(now, end.isRemoving() ? end.problem() : sandbox.problem());
    settled = adopted;
    if (adopted && !end.isRemoving()) {
      record.saveIfDue(now);
    }
  }

  private PodStatus status() {
    return report.report(
        pod(), slots, sandbox.isUp(), sandbox.ips(), failure, shared.clock().instant());
  }
}
