package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.backoff.BackOff;
import dev.peapod.pods.probe.ProbeKind;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Probe;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The one owner of a pod's state: a virtual thread that takes messages one after the other, decides what is to be done next and has
/// threads of short life do it. Everything but [#tell], [#awaitGone] and the constructor happens on that thread.
final class PodWorker {
  private static final Logger LOG = System.getLogger(PodWorker.class.getName());
  private static final Duration SANDBOX_RETRY = Duration.ofSeconds(2);
  private static final Duration SANDBOX_RETRY_MAX = Duration.ofMinutes(1);

  private final Shared shared;
  private final Consumer<PodWorker> gone;
  private final PodPaths paths;
  private final PodKey key;
  private final LinkedBlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;

  private final List<ContainerSlot> inits;
  private final List<ContainerSlot> mains;
  private final StatusReport report;
  private final BackOff sandboxBackOff;
  private final @Nullable PodStatus earlier;

  private Pod pod;
  private boolean adopted;
  private String sandbox = "";
  private int nextSandbox;
  private List<String> ips = List.of();
  private long sandboxChangedAt;
  private Optional<Instant> sandboxRetryAt = Optional.empty();
  private @Nullable Thread sandboxOperation;
  private boolean sandboxStopped;
  private String problem = "";
  private boolean statusChanged;
  private boolean finished;

  private volatile boolean closing;
  private volatile long grace;
  private boolean removing;
  /// Removed before the next sandbox is made: they share the pod's cgroup and host ports with it.
  private final List<String> stale = new ArrayList<>();
  private final Set<String> goingSandboxes = ConcurrentHashMap.newKeySet();

  /// @param gone told once the pod is removed, from the worker's thread
  PodWorker(Shared shared, PodStore.Stored stored, Consumer<PodWorker> gone) {
    this.shared = shared;
    this.gone = gone;
    this.pod = stored.pod();
    this.earlier = stored.status().orElse(null);
    this.paths = PodPaths.of(shared.config(), pod);
    this.key = PodKey.of(pod);
    this.inits =
        pod.getSpec().getInitContainers().stream().map(c -> slot(c, true)).toList();
    this.mains = pod.getSpec().getContainers().stream().map(c -> slot(c, false)).toList();
    this.report = new StatusReport(earlier, shared.clock().instant());
    Duration base = shared.config().backOffBase();
    this.sandboxBackOff =
        new BackOff(
            base.compareTo(SANDBOX_RETRY) < 0 ? base : SANDBOX_RETRY, SANDBOX_RETRY_MAX, SANDBOX_RETRY_MAX);
    this.thread = Thread.ofVirtual().name("pod " + key).unstarted(this::run);
    stored.deletionGrace().ifPresent(seconds -> tell(new Message.Delete(Optional.of(seconds))));
  }

  private ContainerSlot slot(io.fabric8.kubernetes.api.model.Container container, boolean init) {
    var config = shared.config();
    return new ContainerSlot(
        container,
        init,
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()),
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()));
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
          // The runtime is away, or a defect: said once more each time, and tried again after the next message.
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

  private Duration untilDue() {
    Instant now = shared.clock().instant();
    Duration longest = Duration.ofMinutes(1);
    return Stream.concat(
            sandboxRetryAt.stream(), slots().flatMap(slot -> dueAt(slot).stream()))
        .map(at -> Duration.between(now, at))
        .map(wait -> wait.isNegative() ? Duration.ofMillis(20) : wait.plusMillis(1))
        .min(Duration::compareTo)
        .filter(wait -> wait.compareTo(longest) < 0)
        .orElse(longest);
  }

  /// Takes one message and answers whether anything is different now.
  private boolean handle(Message message) {
    switch (message) {
      case Message.Observed observed -> {
        return observed(observed);
      }
      case Message.SandboxMade made -> {
        sandboxOperation = null;
        sandbox = made.id();
        ips = made.ips();
        nextSandbox = made.attempt() + 1;
        sandboxChangedAt = System.nanoTime();
        sandboxRetryAt = Optional.empty();
        problem = "";
      }
      case Message.SandboxFailed failed -> {
        sandboxOperation = null;
        sandboxChangedAt = System.nanoTime();
        nextSandbox = failed.attempt() + 1;
        problem = failed.message();
        Instant now = shared.clock().instant();
        sandboxBackOff.tried(now, now);
        sandboxRetryAt = Optional.of(sandboxBackOff.due(now));
      }
      case Message.Started started -> started(started);
      case Message.NotCreated failed -> notCreated(failed);
      case Message.NotStarted failed -> notStarted(failed);
      case Message.Stopped stopped -> {
        stopped.slot().operation = null;
        stopped.slot().changedAt = System.nanoTime();
        shared.look().run();
      }
      case Message.Probed probed -> probed(probed);
      case Message.Delete delete -> delete(delete);
      case Message.Configure configure -> configure(configure);
      case Message.Removed removed -> removed(removed);
      case Message.SandboxStopped() -> sandboxOperation = null;
      case Message.Close() -> {
        closing = true;
        interruptOperations();
      }
    }
    return true;
  }

  // --- what is known

  private boolean observed(Message.Observed observed) {
    if (removing) {
      return false;
    }
    if (!adopted) {
      adopt(observed);
      return true;
    }
    boolean changed = false;
    if (observed.begunAt() > sandboxChangedAt && sandboxOperation == null) {
      if (!sandbox.isEmpty()) {
        removeSandboxes(
            observed.sandboxes().stream()
                .map(PodSandbox::getId)
                .filter(id -> !id.equals(sandbox))
                .toList());
      }
      boolean ready =
          observed.sandboxes().stream()
              .anyMatch(
                  s -> s.getId().equals(sandbox) && s.getState() == PodSandboxState.SANDBOX_READY);
      if (!ready && !sandbox.isEmpty() && !sandboxStopped) {
        sandboxLost();
        return true;
      }
    }
    for (ContainerSlot slot : slots().toList()) {
      if (observed.begunAt() > slot.changedAt) {
        changed |= compare(slot, observed.containers());
      }
    }
    return changed;
  }

  private void adopt(Message.Observed observed) {
    slots().forEach(ContainerSlot::forget);
    Adoption.Found found = Adoption.adopt(shared.cri(), paths, observed, slots().toList(), earlier);
    adopted = true;
    sandbox = found.id();
    ips = found.ips();
    nextSandbox = found.nextAttempt();
    slots()
        .filter(slot -> slot.state == ContainerSlot.State.RUNNING)
        .forEach(slot -> Probes.begin(shared, pod, slot, ip(), this::tell));
    stale.addAll(found.stale());
    statusChanged = true;
  }

  private boolean compare(ContainerSlot slot, List<Container> containers) {
    if (!slot.isBusy()) {
      // Left by a create whose answer never came; it would stand in the way of the next one.
      containers.stream()
          .filter(c -> c.getState() == ContainerState.CONTAINER_CREATED)
          .filter(c -> c.getMetadata().getName().equals(slot.name()))
          .forEach(c -> removeContainer(c.getId()));
    }
    if (slot.state != ContainerSlot.State.RUNNING && slot.state != ContainerSlot.State.STOPPING) {
      return false;
    }
    Optional<Container> found =
        containers.stream().filter(c -> c.getId().equals(slot.containerId)).findFirst();
    if (found.isEmpty() || found.get().getState() == ContainerState.CONTAINER_EXITED) {
      exited(slot);
      return true;
    }
    if (slot.state == ContainerSlot.State.STOPPING && !slot.isBusy()) {
      kill(slot, stopTime(slot, null));
    }
    return false;
  }

  private void exited(ContainerSlot slot) {
    end(slot, Adoption.termination(shared.cri(), paths, slot, slot.containerId, slot.restarts()));
  }

  /// The instance before the last two is of no more use.
  private void end(ContainerSlot slot, Termination termination) {
    Termination older = slot.last;
    slot.exited(termination);
    if (older != null && older != slot.last) {
      removeContainer(older.containerId());
    }
    statusChanged = true;
  }

  private void removeContainer(String id) {
    if (id.isEmpty()) {
      return;
    }
    Thread.startVirtualThread(
        () -> {
          try {
            shared.cri().removeContainer(id);
          } catch (PeapodException e) {
            LOG.log(Logger.Level.DEBUG, "pod " + key + ": " + e.getMessage());
          }
        });
  }

  private void sandboxLost() {
    String lost = sandbox;
    shared
        .events()
        .normal(key, "", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    slots()
        .filter(
            slot ->
                slot.state == ContainerSlot.State.RUNNING
                    || slot.state == ContainerSlot.State.STOPPING)
        .forEach(this::exited);
    // Init containers make ready what is in the pod: they run again in a new sandbox.
    for (ContainerSlot slot : inits) {
      if (slot.state == ContainerSlot.State.EXITED) {
        slot.last = slot.ended;
        slot.ended = null;
        slot.state = ContainerSlot.State.WAITING;
      }
    }
    sandbox = "";
    ips = List.of();
    sandboxChangedAt = System.nanoTime();
    statusChanged = true;
    stale.add(lost);
  }

  /// Removes sandboxes that are of no more use, in the background; what fails is seen and tried again.
  private void removeSandboxes(List<String> ids) {
    for (String id : ids) {
      if (goingSandboxes.add(id)) {
        Thread.startVirtualThread(
            () -> {
              removeSandbox(id);
              goingSandboxes.remove(id);
            });
      }
    }
  }

  private void removeSandbox(String id) {
    try {
      shared.cri().stopSandbox(id);
      shared.cri().removeSandbox(id);
    } catch (PeapodException e) {
      LOG.log(Logger.Level.WARNING, "pod " + key + ": can not remove sandbox " + id + ": " + e.getMessage());
    }
  }

  // --- what is to be done

  private void reconcile() {
    if (removing || !adopted) {
      return;
    }
    String phase = StatusReport.phase(pod, inits, mains);
    finished = phase.equals("Succeeded") || phase.equals("Failed");
    if (finished) {
      stopFinishedSandbox();
      return;
    }
    if (sandbox.isEmpty()) {
      boolean starting = slots().anyMatch(ContainerSlot::isBusy);
      if (sandboxOperation == null && !starting && isDue(sandboxRetryAt)) {
        makeSandbox();
      }
      return;
    }
    for (ContainerSlot slot : inits) {
      if (!slot.succeeded()) {
        runIfDue(slot);
        return;
      }
    }
    mains.forEach(this::runIfDue);
  }

  private boolean wantsToRun(ContainerSlot slot) {
    return switch (slot.state) {
      case WAITING -> true;
      case STARTING, RUNNING, STOPPING -> false;
      case EXITED ->
          switch (pod.getSpec().getRestartPolicy()) {
            case "Never" -> false;
            case "OnFailure" -> !slot.succeeded();
            default -> !(slot.init && slot.succeeded());
          };
    };
  }

  /// When a slot that waits is to be tried again; nothing if it is not to be.
  private Optional<Instant> dueAt(ContainerSlot slot) {
    if (slot.isBusy() || removing || finished || sandbox.isEmpty() || !wantsToRun(slot)) {
      return Optional.empty();
    }
    if (!slot.init && inits.stream().anyMatch(init -> !init.succeeded())) {
      return Optional.empty();
    }
    Optional<Instant> due = slot.retryAt;
    if (slot.ended != null) {
      Instant afterCrash = slot.crashes.due(slot.ended.finishedAt());
      due = Optional.of(due.filter(afterCrash::isBefore).orElse(afterCrash));
    }
    return due;
  }

  private void runIfDue(ContainerSlot slot) {
    if (slot.isBusy() || !wantsToRun(slot)) {
      return;
    }
    Optional<Instant> due = dueAt(slot);
    if (!isDue(due)) {
      if (slot.waitingReason.isEmpty() && slot.ended != null) {
        backingOff(slot, slot.ended);
      }
      return;
    }
    if (slot.ended != null) {
      slot.crashes.tried(slot.ended.finishedAt(), shared.clock().instant());
    }
    if (!slot.waitingReason.startsWith("ErrImage") && !slot.waitingReason.startsWith("ImagePull")) {
      slot.waiting("", "");
    }
    slot.retryAt = Optional.empty();
    ContainerStart start =
        new ContainerStart(
            shared, pod, slot, slot.nextAttempt, sandbox, sandboxConfig(nextSandbox - 1), ip(), this::tell);
    if (slot.ended == null) {
      slot.state = ContainerSlot.State.STARTING;
    }
    slot.operation =
        Thread.ofVirtual().name("start " + key + " " + slot.name()).start(start);
  }

  private void backingOff(ContainerSlot slot, Termination end) {
    if (end.reason().equals("StartError")) {
      slot.waiting("RunContainerError", end.message());
    } else {
      slot.waiting(
          "CrashLoopBackOff",
          "back-off " + slot.crashes.delay().toSeconds() + "s restarting failed container=" + slot.name()
              + " pod=" + key.name() + "_" + key.namespace() + "(" + uid() + ")");
    }
    shared
        .events()
        .warning(
            key,
            slot.name(),
            "BackOff",
            "Back-off restarting failed container " + slot.name() + " in pod " + key.name());
  }

  private boolean isDue(Optional<Instant> at) {
    return at.isEmpty() || !shared.clock().instant().isBefore(at.get());
  }

  private PodSandboxConfig sandboxConfig(int attempt) {
    return SandboxConfigs.of(pod, attempt, shared.config(), paths);
  }

  private void makeSandbox() {
    int attempt = nextSandbox;
    Pod now = pod;
    PodSandboxConfig config = sandboxConfig(attempt);
    List<String> before = List.copyOf(stale);
    stale.clear();
    sandboxOperation =
        Thread.ofVirtual()
            .name("sandbox " + key)
            .start(
                () -> {
                  String id = "";
                  before.forEach(this::removeSandbox);
                  try {
                    Volumes.prepare(now, paths);
                    id = shared.cri().runSandbox(config);
                    List<String> addresses = Adoption.ips(shared.cri().sandboxStatus(id));
                    Volumes.writeHosts(now, paths, addresses.isEmpty() ? "" : addresses.getFirst());
                    tell(new Message.SandboxMade(id, attempt, addresses));
                  } catch (RuntimeException e) {
                    String why = "Failed to create pod sandbox: " + e.getMessage();
                    shared.events().warning(key, "", "FailedCreatePodSandBox", why);
                    if (!id.isEmpty()) {
                      removeSandboxes(List.of(id));
                    }
                    tell(new Message.SandboxFailed(attempt, why));
                  }
                });
  }

  private void stopFinishedSandbox() {
    if (sandbox.isEmpty() || sandboxStopped || sandboxOperation != null) {
      return;
    }
    sandboxStopped = true;
    statusChanged = true;
    String id = sandbox;
    sandboxOperation =
        Thread.startVirtualThread(
            () -> {
              try {
                shared.cri().stopSandbox(id);
              } catch (PeapodException e) {
                LOG.log(Logger.Level.WARNING, "pod " + key + ": can not stop its sandbox: " + e.getMessage());
              }
              tell(new Message.SandboxStopped());
            });
  }

  // --- how it went

  private void started(Message.Started started) {
    ContainerSlot slot = started.slot();
    slot.operation = null;
    slot.nextAttempt = started.attempt() + 1;
    Termination older = slot.last;
    slot.running(started.containerId(), started.imageId(), started.at());
    slot.pulls.clear();
    shared.look().run();
    statusChanged |= slot.last != null;
    // The instance before stays for its log and status, older ones go.
    if (older != null && older != slot.last) {
      removeContainer(older.containerId());
    }
    Probes.begin(shared, pod, slot, ip(), this::tell);
  }

  private void notCreated(Message.NotCreated failed) {
    ContainerSlot slot = failed.slot();
    slot.operation = null;
    if (slot.state == ContainerSlot.State.STARTING) {
      slot.state = ContainerSlot.State.WAITING;
    }
    Instant now = shared.clock().instant();
    boolean again = slot.waitingReason.startsWith("ErrImage") || slot.waitingReason.startsWith("ImagePull");
    slot.pulls.tried(now, now);
    slot.retryAt = Optional.of(slot.pulls.due(now));
    if (again && failed.reason().equals("ErrImagePull")) {
      slot.waiting("ImagePullBackOff", failed.message());
    } else {
      slot.waiting(failed.reason(), failed.message());
    }
  }

  private void notStarted(Message.NotStarted failed) {
    ContainerSlot slot = failed.slot();
    slot.operation = null;
    slot.nextAttempt = failed.attempt() + 1;
    Instant now = shared.clock().instant();
    slot.containerId = failed.containerId();
    end(
        slot,
        new Termination(
            failed.containerId(), failed.attempt(), 128, "StartError", failed.message(), now, now));
  }

  private void probed(Message.Probed probed) {
    ContainerSlot slot = probed.slot();
    if (slot.state != ContainerSlot.State.RUNNING
        || !slot.containerId.equals(probed.containerId())
        || removing) {
      return;
    }
    switch (probed.kind()) {
      case READINESS -> slot.ready = probed.success();
      case STARTUP -> {
        if (probed.success()) {
          Probes.started(shared, pod, slot, ip(), this::tell);
        } else {
          unhealthy(slot, probed.kind());
        }
      }
      case LIVENESS -> {
        if (!probed.success()) {
          unhealthy(slot, probed.kind());
        }
      }
    }
  }

  private void unhealthy(ContainerSlot slot, ProbeKind kind) {
    boolean again = !pod.getSpec().getRestartPolicy().equals("Never");
    shared
        .events()
        .normal(
            key,
            slot.name(),
            "Killing",
            "Container " + slot.name() + " failed " + kind.word().toLowerCase(java.util.Locale.ROOT)
                + " probe, " + (again ? "will be restarted" : "will be killed"));
    slot.endProbes();
    slot.state = ContainerSlot.State.STOPPING;
    kill(slot, stopTime(slot, kind));
  }

  private long stopTime(ContainerSlot slot, @Nullable ProbeKind kind) {
    Probe probe =
        kind == ProbeKind.STARTUP ? slot.spec.getStartupProbe() : slot.spec.getLivenessProbe();
    Long own = probe == null || kind == null ? null : probe.getTerminationGracePeriodSeconds();
    return own != null ? own : pod.getSpec().getTerminationGracePeriodSeconds();
  }

  private void kill(ContainerSlot slot, long seconds) {
    String id = slot.containerId;
    slot.operation =
        Thread.ofVirtual()
            .name("stop " + key + " " + slot.name())
            .start(
                () -> {
                  try {
                    shared.cri().stopContainer(id, seconds);
                  } catch (PeapodException e) {
                    shared
                        .events()
                        .warning(
                            key, slot.name(), "FailedKillPod", "can not stop container: " + e.getMessage());
                  }
                  tell(new Message.Stopped(slot, id));
                });
  }

  // --- the end

  private void delete(Message.Delete delete) {
    long wanted =
        delete.graceSeconds().orElse(pod.getSpec().getTerminationGracePeriodSeconds());
    if (removing && wanted >= grace) {
      return;
    }
    grace = wanted;
    shared.store().saveDeletion(pod, wanted);
    Instant now = shared.clock().instant();
    pod =
        with(
            new ObjectMetaBuilder(pod.getMetadata())
                .withDeletionTimestamp(StatusReport.text(now.plusSeconds(wanted)))
                .withDeletionGracePeriodSeconds(wanted)
                .build(),
            null);
    if (removing) {
      hurry(wanted);
      return;
    }
    removing = true;
    slots().forEach(ContainerSlot::endProbes);
    List<Thread> operations = interruptOperations();
    Thread.ofVirtual().name("remove " + key).start(() -> remove(operations));
  }

  private void hurry(long seconds) {
    for (ContainerSlot slot : slots().toList()) {
      if (!slot.containerId.isEmpty()) {
        String id = slot.containerId;
        Thread.startVirtualThread(
            () -> {
              try {
                shared.cri().stopContainer(id, seconds);
              } catch (PeapodException e) {
                LOG.log(Logger.Level.DEBUG, "pod " + key + ": " + e.getMessage());
              }
            });
      }
    }
  }

  private void remove(List<Thread> operations) {
    Duration pause = Duration.ofMillis(200);
    try {
      for (Thread operation : operations) {
        operation.join();
      }
      while (!closing) {
        try {
          PodRemoval.run(shared, pod, () -> grace);
          tell(new Message.Removed(""));
          return;
        } catch (java.io.IOException | RuntimeException e) {
          String why = "can not remove the pod: " + e.getMessage();
          shared.events().warning(key, "", "FailedKillPod", why);
          tell(new Message.Removed(why));
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2).compareTo(SANDBOX_RETRY_MAX) > 0 ? SANDBOX_RETRY_MAX : pause.multipliedBy(2);
      }
    } catch (InterruptedException e) {
      // Closed; the next daemon goes on with it.
    }
  }

  private void removed(Message.Removed removed) {
    problem = removed.problem();
    if (problem.isEmpty()) {
      closing = true;
      shared.board().remove(key);
      shared.events().forget(key);
      gone.accept(this);
    }
  }

  private List<Thread> interruptOperations() {
    List<Thread> operations = new ArrayList<>();
    slots().filter(ContainerSlot::isBusy).forEach(slot -> operations.add(slot.operation));
    if (sandboxOperation != null) {
      operations.add(sandboxOperation);
    }
    operations.forEach(Thread::interrupt);
    return operations;
  }

  private void configure(Message.Configure configure) {
    pod =
        with(
            new ObjectMetaBuilder(pod.getMetadata())
                .withLabels(configure.labels())
                .withAnnotations(configure.annotations())
                .build(),
            null);
    shared.store().savePod(pod);
  }

  /// The pod with other metadata and status; neither is changed once it is part of a pod.
  private Pod with(ObjectMeta metadata, @Nullable PodStatus status) {
    return new Pod(pod.getApiVersion(), pod.getKind(), metadata, pod.getSpec(), status);
  }

  // --- telling

  private void publish() {
    if (closing) {
      return;
    }
    PodStatus status =
        report.report(
            pod, inits, mains, !sandbox.isEmpty() && !sandboxStopped, ips, shared.clock().instant());
    shared.board().publish(with(pod.getMetadata(), status), problem);
    if (statusChanged && adopted && !removing) {
      shared.store().saveStatus(pod, status);
      statusChanged = false;
    }
  }

  private Stream<ContainerSlot> slots() {
    return Stream.concat(inits.stream(), mains.stream());
  }

  private String ip() {
    return ips.isEmpty() ? "" : ips.getFirst();
  }
}
