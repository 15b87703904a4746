package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.node.HostFacts;
import dev.peapod.pods.probe.ProbeAction;
import dev.peapod.pods.probe.ProbeKind;
import dev.peapod.pods.probe.ProbePlan;
import dev.peapod.pods.probe.ProbeResult;
import dev.peapod.pods.probe.Prober;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The probes of a running container: startup first, then liveness and readiness.
final class Probes {
  private Probes() {}

  /// Begins what is to be probed now, for a container that has just been found running.
  static void begin(
      Shared shared, Pod pod, ContainerSlot slot, String podIp, Consumer<Message> worker) {
    slot.endProbes();
    Container spec = slot.spec;
    if (slot.role == ContainerSlot.Role.INIT) {
      slot.started = true;
      return;
    }
    if (slot.role == ContainerSlot.Role.EPHEMERAL) {
      return;
    }
    if (spec.getStartupProbe() != null) {
      add(shared, pod, slot, ProbeKind.STARTUP, spec.getStartupProbe(), podIp, worker);
    } else {
      started(shared, pod, slot, podIp, worker);
    }
  }

  /// The same for a container that runs since an earlier daemon: it has started and is ready as that one found, until a
  /// probe says otherwise. Who relies on it would miss it otherwise, though nothing has happened to it.
  ///
  /// @param before what that daemon wrote down
  static void resume(
      Shared shared,
      Pod pod,
      ContainerSlot slot,
      Optional<ContainerStatus> before,
      String podIp,
      Consumer<Message> worker) {
    boolean probed =
        slot.role == ContainerSlot.Role.MAIN || slot.role == ContainerSlot.Role.SIDECAR;
    if (probed && before.filter(s -> Boolean.TRUE.equals(s.getStarted())).isPresent()) {
      started(shared, pod, slot, podIp, worker);
      slot.ready |= Boolean.TRUE.equals(before.get().getReady());
    } else {
      begin(shared, pod, slot, podIp, worker);
    }
  }

  /// The container has started: it is ready unless a probe is to say so.
  static void started(
      Shared shared, Pod pod, ContainerSlot slot, String podIp, Consumer<Message> worker) {
    slot.endProbes();
    slot.started = true;
    slot.startedOnce = true;
    slot.ready = slot.spec.getReadinessProbe() == null;
    add(shared, pod, slot, ProbeKind.LIVENESS, slot.spec.getLivenessProbe(), podIp, worker);
    add(shared, pod, slot, ProbeKind.READINESS, slot.spec.getReadinessProbe(), podIp, worker);
  }

  private static void add(
      Shared shared,
      Pod pod,
      ContainerSlot slot,
      ProbeKind kind,
      @Nullable Probe probe,
      String podIp,
      Consumer<Message> worker) {
    if (probe == null) {
      return;
    }
    String containerId = slot.containerId;
    PodKey key = PodKey.of(pod);
    Optional<ProbePlan> plan = plan(kind, probe, slot.spec, address(pod, podIp));
    if (plan.isEmpty()) {
      shared
          .events()
          .warning(
              key,
              slot.name(),
              "ProbeError",
              kind.word()
                  + " probe names a port that the container does not have; it counts as failed");
      if (kind != ProbeKind.READINESS) {
        worker.accept(new Message.Probed(slot, containerId, kind, false, "unknown port"));
      }
      return;
    }
    Prober.Listener listener =
        new Prober.Listener() {
          @Override
          public void failed(ProbeKind probed, ProbeResult result) {
            shared
                .events()
                .warning(
                    key,
                    slot.name(),
                    "Unhealthy",
                    probed.word() + " probe failed: " + result.message());
          }

          @Override
          public void verdict(ProbeKind probed, boolean success, ProbeResult result) {
            worker.accept(new Message.Probed(slot, containerId, probed, success, result.message()));
          }
        };
    // A clock that was put back would have the first probe wait for the time to come again.
    Duration ran = Duration.between(slot.startedAt, shared.clock().instant());
    Duration age = ran.isNegative() ? Duration.ZERO : ran;
    slot.probers.add(
        Prober.start(
            "probe " + key + " " + slot.name(),
            plan.get(),
            (command, timeout) -> exec(shared.cri(), containerId, command, timeout),
            age,
            listener));
  }

  static ProbeResult exec(Cri cri, String container, List<String> command, Duration timeout) {
    try {
      ExecSyncResponse answer = cri.exec(container, command, timeout);
      String output = (Cri.text(answer.getStdout()) + Cri.text(answer.getStderr())).strip();
      String shown = output.length() > 1024 ? output.substring(0, 1024) + "..." : output;
      if (answer.getExitCode() == 0) {
        return new ProbeResult(true, shown);
      }
      return new ProbeResult(
          false, shown.isEmpty() ? "command exited with " + answer.getExitCode() : shown);
    } catch (PeapodException e) {
      return new ProbeResult(
          false,
          e.kind() == Kind.DEADLINE_EXCEEDED
              ? "command timed out after " + timeout.toSeconds() + "s"
              : String.valueOf(e.getMessage()));
    }
  }

  static String address(Pod pod, String podIp) {
    return SandboxConfigs.isTrue(pod.getSpec().getHostNetwork()) || podIp.isEmpty()
        ? HostFacts.address()
        : podIp;
  }

  private static Optional<ProbePlan> plan(
      ProbeKind kind, Probe probe, Container container, String podIp) {
    ProbeAction action;
    if (probe.getExec() != null) {
      action = new ProbeAction.Exec(probe.getExec().getCommand());
    } else if (probe.getTcpSocket() != null) {
      Optional<Integer> port = port(probe.getTcpSocket().getPort(), container);
      if (port.isEmpty()) {
        return Optional.empty();
      }
      action = new ProbeAction.Tcp(or(probe.getTcpSocket().getHost(), podIp), port.get());
    } else if (probe.getGrpc() != null) {
      String service = probe.getGrpc().getService();
      action =
          new ProbeAction.Grpc(podIp, probe.getGrpc().getPort(), service == null ? "" : service);
    } else {
      Optional<ProbeAction.Http> http = http(probe.getHttpGet(), container, podIp);
      if (http.isEmpty()) {
        return Optional.empty();
      }
      action = http.get();
    }
    return Optional.of(
        new ProbePlan(
            kind,
            action,
            Duration.ofSeconds(
                probe.getInitialDelaySeconds() == null ? 0 : probe.getInitialDelaySeconds()),
            Duration.ofSeconds(probe.getPeriodSeconds()),
            Duration.ofSeconds(probe.getTimeoutSeconds()),
            probe.getSuccessThreshold(),
            probe.getFailureThreshold()));
  }

  /// A request; nothing if it names a port that the container does not have.
  static Optional<ProbeAction.Http> http(HTTPGetAction http, Container container, String podIp) {
    List<Map.Entry<String, String>> headers =
        http.getHttpHeaders().stream()
            .map(h -> Map.entry(h.getName(), h.getValue() == null ? "" : h.getValue()))
            .toList();
    return port(http.getPort(), container)
        .map(
            port ->
                new ProbeAction.Http(
                    http.getScheme(), or(http.getHost(), podIp), port, http.getPath(), headers));
  }

  private static Optional<Integer> port(IntOrString port, Container container) {
    if (port.getIntVal() != null) {
      return Optional.of(port.getIntVal());
    }
    return container.getPorts().stream()
        .filter(p -> port.getStrVal().equals(p.getName()))
        .map(p -> p.getContainerPort())
        .findFirst();
  }

  private static String or(@Nullable String host, String otherwise) {
    return host == null || host.isEmpty() ? otherwise : host;
  }
}
