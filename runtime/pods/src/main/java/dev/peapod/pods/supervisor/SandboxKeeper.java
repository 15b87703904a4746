package dev.peapod.pods.supervisor;

import dev.peapod.dns.ResolvConf;
import dev.peapod.error.PeapodException;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.backoff.BackOff;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.volume.PodVolumes;
import dev.peapod.proto.runtime.v1.DNSConfig;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import io.fabric8.kubernetes.api.model.Pod;
import java.lang.System.Logger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A pod's sandbox: made when there is none, made anew when it is lost, stopped when the pod is at
/// its end. Touched by the pod's worker alone; what takes time is done on threads of short life,
/// which tell the worker.
final class SandboxKeeper {
  private static final Logger LOG = System.getLogger(SandboxKeeper.class.getName());
  private static final Duration RETRY = Duration.ofSeconds(2);
  private static final Duration RETRY_MAX = Duration.ofMinutes(1);

  private final Shared shared;
  private final PodKey key;
  private final PodPaths paths;
  private final PodVolumes volumes;
  private final Consumer<Message> worker;
  private final BackOff backOff;

  private String id = "";
  private int nextAttempt;
  private List<String> ips = List.of();
  private Optional<Integer> firstUser = Optional.empty();
  private long changedAt;
  private Optional<Instant> retryAt = Optional.empty();
  private @Nullable Thread operation;
  private boolean stopped;
  private String problem = "";

  /// Removed before the next sandbox is made: they share the pod's cgroup and host ports with it.
  private final List<String> stale = new ArrayList<>();
  private final Set<String> going = ConcurrentHashMap.newKeySet();

  SandboxKeeper(
      Shared shared, PodKey key, PodPaths paths, PodVolumes volumes, Consumer<Message> worker) {
    this.shared = shared;
    this.key = key;
    this.paths = paths;
    this.volumes = volumes;
    this.worker = worker;
    Duration base = shared.config().backOffBase();
    this.backOff = new BackOff(base.compareTo(RETRY) < 0 ? base : RETRY, RETRY_MAX, RETRY_MAX);
  }

  /// The sandbox that containers can be started in; empty if there is none.
  String id() {
    return id;
  }

  /// Whether the pod has a live sandbox.
  boolean isUp() {
    return !id.isEmpty() && !stopped;
  }

  List<String> ips() {
    return ips;
  }

  String ip() {
    return ips.isEmpty() ? "" : ips.getFirst();
  }

  /// Why there is none; empty if there is nothing to say.
  String problem() {
    return problem;
  }

  Optional<Instant> retryAt() {
    return retryAt;
  }

  Optional<Thread> operation() {
    return Optional.ofNullable(operation);
  }

  /// What the present sandbox was asked for with.
  PodSandboxConfig config(Pod pod) {
    DNSConfig dns = dns(pod).config();
    return SandboxConfigs.of(pod, nextAttempt - 1, firstUser, dns, shared.config(), paths);
  }

  private PodDns.Config dns(Pod pod) {
    return PodDns.of(pod, shared.config().dns(), ResolvConf.ofHost());
  }

  void adopt(Adoption.Found found) {
    id = found.id();
    ips = found.ips();
    firstUser = found.firstUser();
    nextAttempt = found.nextAttempt();
    stale.addAll(found.stale());
  }

  /// Compares with what the runtime has; true if the sandbox was lost, which is then forgotten.
  boolean isLost(Message.Observed observed) {
    if (id.isEmpty() || operation != null || observed.begunAt() <= changedAt) {
      return false;
    }
    List<PodSandbox> sandboxes = observed.sandboxes();
    removeInBackground(
        sandboxes.stream().map(PodSandbox::getId).filter(other -> !other.equals(id)).toList());
    boolean ready =
        sandboxes.stream()
            .anyMatch(s -> s.getId().equals(id) && s.getState() == PodSandboxState.SANDBOX_READY);
    if (ready || stopped) {
      return false;
    }
    shared
        .events()
        .normal(
            key, "", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    stale.add(id);
    id = "";
    ips = List.of();
    changedAt = System.nanoTime();
    return true;
  }

  /// Begins to make a sandbox, if that is not under way and due.
  void makeIfDue(Pod pod) {
    boolean due = retryAt.isEmpty() || !shared.clock().instant().isBefore(retryAt.get());
    if (operation != null || !due) {
      return;
    }
    int attempt = nextAttempt;
    List<String> before = List.copyOf(stale);
    stale.clear();
    operation =
        Thread.ofVirtual()
            .name("sandbox " + key)
            .start(
                () -> {
                  before.forEach(this::remove);
                  worker.accept(make(pod, attempt));
                });
  }

  private Message make(Pod pod, int attempt) {
    try {
      PodFiles.prepare(paths);
      volumes.prepare(pod, new PodFields(pod, List.of(), shared.config().nodeName()));
    } catch (RuntimeException e) {
      String why = String.valueOf(e.getMessage());
      shared.events().warning(key, "", "FailedMount", why);
      return new Message.SandboxFailed(attempt, why);
    }
    String made = "";
    Optional<Integer> users = Optional.empty();
    try {
      if (Boolean.FALSE.equals(pod.getSpec().getHostUsers())) {
        users = Optional.of(shared.users().take(shared.cri().sandboxes(Map.of())));
      }
      PodDns.Config dns = dns(pod);
      dns.problems().forEach(p -> shared.events().warning(key, "", p.reason(), p.message()));
      PodSandboxConfig config =
          SandboxConfigs.of(pod, attempt, users, dns.config(), shared.config(), paths);
      made = shared.cri().runSandbox(config);
      List<String> addresses = Adoption.ips(shared.cri().sandboxStatus(made));
      String ip = addresses.isEmpty() ? "" : addresses.getFirst();
      PodFiles.writeHosts(pod, paths, ip, shared.config().dns().domain());
      return new Message.SandboxMade(made, attempt, addresses, users);
    } catch (RuntimeException e) {
      String why = "Failed to create pod sandbox: " + e.getMessage();
      shared.events().warning(key, "", "FailedCreatePodSandBox", why);
      if (!made.isEmpty()) {
        removeInBackground(List.of(made));
      }
      return new Message.SandboxFailed(attempt, why);
    } finally {
      users.ifPresent(shared.users()::done);
    }
  }

  void made(Message.SandboxMade made) {
    operation = null;
    id = made.id();
    ips = made.ips();
    firstUser = made.firstUser();
    nextAttempt = made.attempt() + 1;
    changedAt = System.nanoTime();
    retryAt = Optional.empty();
    problem = "";
  }

  void failed(Message.SandboxFailed failed) {
    operation = null;
    nextAttempt = failed.attempt() + 1;
    changedAt = System.nanoTime();
    problem = failed.message();
    Instant now = shared.clock().instant();
    backOff.tried(now, now);
    retryAt = Optional.of(backOff.due(now));
  }

  /// Has a sandbox that could not be made be tried again at once.
  void retryNow() {
    retryAt = Optional.empty();
  }

  /// Begins to stop the sandbox of a pod that has nothing more to run; true if that is news.
  boolean stopForGood() {
    if (id.isEmpty() || stopped || operation != null) {
      return false;
    }
    stopped = true;
    String last = id;
    operation =
        Thread.startVirtualThread(
            () -> {
              try {
                shared.cri().stopSandbox(last);
              } catch (PeapodException e) {
                LOG.log(
                    Logger.Level.WARNING,
                    "pod " + key + ": can not stop its sandbox: " + e.getMessage());
              }
              worker.accept(new Message.SandboxStopped());
            });
    return true;
  }

  void stopped() {
    operation = null;
  }

  /// Removes sandboxes that are of no more use; what fails is seen in a later look and tried again.
  private void removeInBackground(List<String> ids) {
    for (String old : ids) {
      if (going.add(old)) {
        Thread.startVirtualThread(
            () -> {
              remove(old);
              going.remove(old);
            });
      }
    }
  }

  private void remove(String old) {
    try {
      shared.cri().stopSandbox(old);
      shared.cri().removeSandbox(old);
    } catch (PeapodException e) {
      LOG.log(
          Logger.Level.WARNING,
          "pod " + key + ": can not remove sandbox " + old + ": " + e.getMessage());
    }
  }
}
