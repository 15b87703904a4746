package dev.peapod.pods.status;

import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.supervisor.EventLog;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A pod at length, as `kubectl describe pod` lays it out. It is written by the daemon, so that the
/// client carries no Kubernetes model.
public final class Description {
  private static final int LABEL_WIDTH = 16;

  private final StringBuilder out = new StringBuilder();

  private Description() {}

  /// @param problem what stands in the pod's way as a whole; empty if nothing does
  public static String of(Pod pod, String problem, List<EventLog.Event> events, Instant now) {
    Description description = new Description();
    description.pod(pod, problem);
    EventTable.write(description.out, events, now);
    return description.out.toString();
  }

  private void pod(Pod pod, String problem) {
    PodStatus status = Optional.ofNullable(pod.getStatus()).orElseGet(PodStatus::new);
    line(0, "Name", pod.getMetadata().getName());
    line(0, "Namespace", pod.getMetadata().getNamespace());
    line(0, "UID", or(pod.getMetadata().getUid()));
    line(0, "Start Time", or(status.getStartTime()));
    map("Labels", pod.getMetadata().getLabels());
    map("Annotations", pod.getMetadata().getAnnotations());
    String phase = or(status.getPhase());
    line(
        0,
        "Status",
        pod.getMetadata().getDeletionTimestamp() == null
            ? phase
            : "Terminating ("
                + phase
                + ", grace period "
                + pod.getMetadata().getDeletionGracePeriodSeconds()
                + "s)");
    if (!problem.isEmpty()) {
      line(0, "Problem", problem);
    }
    line(0, "IP", or(status.getPodIP()));
    line(0, "Host IP", or(status.getHostIP()));
    line(0, "QoS Class", or(status.getQosClass()));
    line(0, "Restart Policy", pod.getSpec().getRestartPolicy());
    line(0, "Namespaces", namespaces(pod));
    containers(
        "Init Containers", pod.getSpec().getInitContainers(), status.getInitContainerStatuses());
    containers("Containers", pod.getSpec().getContainers(), status.getContainerStatuses());
    containers(
        "Ephemeral Containers",
        EphemeralContainers.of(pod),
        status.getEphemeralContainerStatuses());
    if (pod.getSpec().getResources() != null) {
      out.append("Resources:\n");
      quantities(2, "Limits", pod.getSpec().getResources().getLimits());
      quantities(2, "Requests", pod.getSpec().getResources().getRequests());
    }
    out.append("Conditions:\n");
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("Type", "Status", "Reason"));
    status
        .getConditions()
        .forEach(c -> rows.add(List.of(c.getType(), c.getStatus(), or(c.getReason()))));
    EventTable.aligned(out, rows);
    volumes(pod.getSpec().getVolumes());
  }

  private static String namespaces(Pod pod) {
    List<String> words = new ArrayList<>();
    words.add(isTrue(pod.getSpec().getHostNetwork()) ? "network: host" : "network: pod");
    words.add(
        isTrue(pod.getSpec().getHostPID())
            ? "pid: host"
            : isTrue(pod.getSpec().getShareProcessNamespace()) ? "pid: pod" : "pid: container");
    words.add(isTrue(pod.getSpec().getHostIPC()) ? "ipc: host" : "ipc: pod");
    return String.join(", ", words);
  }

  private void containers(
      String title, List<Container> containers, List<ContainerStatus> statuses) {
    if (containers.isEmpty()) {
      return;
    }
    out.append(title).append(":\n");
    for (Container container : containers) {
      out.append("  ").append(container.getName()).append(":\n");
      statuses.stream()
          .filter(status -> container.getName().equals(status.getName()))
          .findFirst()
          .ifPresent(this::containerStatus);
      spec(container);
    }
  }

  private void containerStatus(ContainerStatus status) {
    line(4, "Container ID", or(status.getContainerID()));
    line(4, "Image ID", or(status.getImageID()));
    state("State", status.getState());
    state("Last State", status.getLastState());
    line(4, "Ready", String.valueOf(status.getReady()));
    line(4, "Restart Count", String.valueOf(status.getRestartCount()));
  }

  private void state(String title, @Nullable ContainerState state) {
    if (state == null) {
      return;
    }
    if (state.getRunning() != null) {
      line(4, title, "Running");
      line(6, "Started", or(state.getRunning().getStartedAt()));
    } else if (state.getTerminated() != null) {
      line(4, title, "Terminated");
      line(6, "Reason", or(state.getTerminated().getReason()));
      optional(6, "Message", state.getTerminated().getMessage());
      line(6, "Exit Code", String.valueOf(state.getTerminated().getExitCode()));
      line(6, "Started", or(state.getTerminated().getStartedAt()));
      line(6, "Finished", or(state.getTerminated().getFinishedAt()));
    } else if (state.getWaiting() != null) {
      line(4, title, "Waiting");
      line(6, "Reason", or(state.getWaiting().getReason()));
      optional(6, "Message", state.getWaiting().getMessage());
    }
  }

  private void spec(Container container) {
    line(4, "Image", container.getImage());
    for (ContainerPort port : container.getPorts()) {
      String host = port.getHostPort() == null ? "" : " (host port " + port.getHostPort() + ")";
      line(4, "Port", port.getContainerPort() + "/" + port.getProtocol() + host);
    }
    if (!container.getCommand().isEmpty()) {
      line(4, "Command", String.join(" ", container.getCommand()));
    }
    if (!container.getArgs().isEmpty()) {
      line(4, "Args", String.join(" ", container.getArgs()));
    }
    if (container.getResources() != null) {
      quantities(4, "Limits", container.getResources().getLimits());
      quantities(4, "Requests", container.getResources().getRequests());
    }
    probe("Liveness", container.getLivenessProbe());
    probe("Readiness", container.getReadinessProbe());
    probe("Startup", container.getStartupProbe());
    if (!container.getEnv().isEmpty()) {
      out.append("    Environment:\n");
      for (EnvVar variable : container.getEnv()) {
        String value =
            variable.getValueFrom() == null
                ? or(variable.getValue())
                : Origins.of(variable.getValueFrom());
        out.append("      ")
            .append(variable.getName())
            .append(": ")
            .append(EventTable.clean(value))
            .append('\n');
      }
    }
    for (EnvFromSource source : container.getEnvFrom()) {
      line(4, "Environment from", Origins.of(source));
    }
    if (!container.getVolumeMounts().isEmpty()) {
      out.append("    Mounts:\n");
      for (VolumeMount mount : container.getVolumeMounts()) {
        String mode = Boolean.TRUE.equals(mount.getReadOnly()) ? "ro" : "rw";
        out.append("      ").append(mount.getMountPath()).append(" from ").append(mount.getName());
        out.append(" (").append(mode).append(")\n");
      }
    }
  }

  private void quantities(int indent, String title, @Nullable Map<String, Quantity> quantities) {
    if (quantities != null && !quantities.isEmpty()) {
      List<String> words = new ArrayList<>();
      new TreeMap<>(quantities)
          .forEach((name, q) -> words.add(name + " " + q.getAmount() + or(q.getFormat())));
      line(indent, title, String.join(", ", words));
    }
  }

  private void probe(String title, @Nullable Probe probe) {
    if (probe == null) {
      return;
    }
    String what;
    if (probe.getExec() != null) {
      what = "exec " + probe.getExec().getCommand();
    } else if (probe.getGrpc() != null) {
      what = "grpc :" + probe.getGrpc().getPort() + " " + or(probe.getGrpc().getService());
    } else if (probe.getTcpSocket() != null) {
      what = "tcp-socket :" + probe.getTcpSocket().getPort().getValue();
    } else {
      what =
          "http-get "
              + probe.getHttpGet().getScheme().toLowerCase(java.util.Locale.ROOT)
              + "://:"
              + probe.getHttpGet().getPort().getValue()
              + probe.getHttpGet().getPath();
    }
    line(
        4,
        title,
        what
            + " delay="
            + (probe.getInitialDelaySeconds() == null ? 0 : probe.getInitialDelaySeconds())
            + "s timeout="
            + probe.getTimeoutSeconds()
            + "s period="
            + probe.getPeriodSeconds()
            + "s #success="
            + probe.getSuccessThreshold()
            + " #failure="
            + probe.getFailureThreshold());
  }

  private void volumes(List<Volume> volumes) {
    if (volumes.isEmpty()) {
      return;
    }
    out.append("Volumes:\n");
    for (Volume volume : volumes) {
      out.append("  ").append(volume.getName()).append(": ");
      out.append(EventTable.clean(Origins.of(volume))).append('\n');
    }
  }

  private void map(String title, @Nullable Map<String, String> map) {
    if (map == null || map.isEmpty()) {
      line(0, title, "<none>");
      return;
    }
    String label = title;
    for (Map.Entry<String, String> entry : new TreeMap<>(map).entrySet()) {
      line(0, label, entry.getKey() + "=" + entry.getValue());
      label = "";
    }
  }

  private void optional(int indent, String label, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      line(indent, label, value);
    }
  }

  private void line(int indent, String label, String value) {
    String name = label.isEmpty() ? "" : label + ":";
    out.repeat(" ", indent).append(name);
    out.repeat(" ", Math.max(1, LABEL_WIDTH + 2 - name.length()));
    out.append(EventTable.clean(value));
    int end = out.length();
    while (end > 0 && out.charAt(end - 1) == ' ') {
      end--;
    }
    out.setLength(end);
    out.append('\n');
  }

  private static boolean isTrue(@Nullable Boolean value) {
    return Boolean.TRUE.equals(value);
  }

  private static String or(@Nullable String text) {
    return text == null ? "" : text;
  }
}
