package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import dev.peapod.proto.runtime.v1.PodSandboxStatus;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads from a runtime what became of containers: at a daemon's start for all of them, later for
/// those that ended.
final class Adoption {
  private static final int MESSAGE_BYTES = 4096;
  private static final Comparator<PodSandbox> NEWEST =
      Comparator.<PodSandbox>comparingInt(s -> s.getMetadata().getAttempt())
          .thenComparingLong(PodSandbox::getCreatedAt);

  private Adoption() {}

  /// What was made earlier of a pod.
  ///
  /// @param id of the sandbox that is ready; empty if none is
  /// @param firstUser the first of the host's users that it has for its own
  /// @param stale sandboxes that are of no more use
  record Found(
      String id,
      int nextAttempt,
      List<String> ips,
      Optional<Integer> firstUser,
      List<String> stale) {}

  /// The newest sandbox if it is ready, and the state of all containers put into their slots.
  static Found adopt(
      Cri cri,
      PodPaths paths,
      Message.Observed observed,
      List<ContainerSlot> slots,
      @Nullable PodStatus earlier) {
    int next =
        observed.sandboxes().stream()
            .mapToInt(s -> s.getMetadata().getAttempt() + 1)
            .max()
            .orElse(0);
    Optional<PodSandbox> newest = observed.sandboxes().stream().max(NEWEST);
    String id = "";
    List<String> ips = List.of();
    if (newest.isPresent() && newest.get().getState() == PodSandboxState.SANDBOX_READY) {
      id = newest.get().getId();
      ips = ips(cri.sandboxStatus(id));
    }
    String current = id;
    List<String> stale =
        observed.sandboxes().stream()
            .map(PodSandbox::getId)
            .filter(s -> !s.equals(current))
            .toList();
    for (ContainerSlot slot : slots) {
      recall(slot, earlier);
      List<Container> instances =
          observed.containers().stream()
              .filter(c -> c.getMetadata().getName().equals(slot.name()))
              .sorted(Comparator.comparingInt(c -> c.getMetadata().getAttempt()))
              .toList();
      for (Container instance : instances) {
        take(cri, paths, slot, instance, current, known(slot, earlier));
      }
      if (instances.isEmpty()) {
        lost(slot, known(slot, earlier));
      }
    }
    return new Found(id, next, ips, newest.flatMap(UserRanges::of), stale);
  }

  /// What an earlier daemon wrote down, for instances that the runtime has forgotten.
  private static void recall(ContainerSlot slot, @Nullable PodStatus earlier) {
    for (var status : known(slot, earlier)) {
      int restarts = status.getRestartCount() == null ? 0 : status.getRestartCount();
      if (status.getLastState() != null && status.getLastState().getTerminated() != null) {
        slot.exited(StatusReport.termination(status.getLastState().getTerminated(), restarts));
        slot.nextAttempt = restarts + 1;
      }
      if (status.getState() != null && status.getState().getTerminated() != null) {
        slot.exited(StatusReport.termination(status.getState().getTerminated(), restarts));
        slot.nextAttempt = restarts + 1;
      }
    }
  }

  /// A container that ran and of which the runtime knows nothing any more, as after a reboot.
  private static void lost(
      ContainerSlot slot, List<io.fabric8.kubernetes.api.model.ContainerStatus> known) {
    for (var status : known) {
      if (status.getState() != null && status.getState().getRunning() != null) {
        int restarts = status.getRestartCount() == null ? 0 : status.getRestartCount();
        slot.exited(StatusReport.lost(status, restarts, Instant.now()));
        slot.nextAttempt = restarts + 1;
      }
    }
  }

  private static List<io.fabric8.kubernetes.api.model.ContainerStatus> known(
      ContainerSlot slot, @Nullable PodStatus earlier) {
    if (earlier == null) {
      return List.of();
    }
    var statuses =
        switch (slot.role) {
          case INIT, SIDECAR -> earlier.getInitContainerStatuses();
          case MAIN -> earlier.getContainerStatuses();
          case EPHEMERAL -> earlier.getEphemeralContainerStatuses();
        };
    return statuses.stream().filter(status -> slot.name().equals(status.getName())).toList();
  }

  /// What an earlier daemon wrote down of the instance that a slot has.
  static Optional<io.fabric8.kubernetes.api.model.ContainerStatus> reported(
      ContainerSlot slot, @Nullable PodStatus earlier) {
    return known(slot, earlier).stream()
        .filter(status -> StatusReport.bare(status.getContainerID()).equals(slot.containerId))
        .findFirst();
  }

  /// What a running instance was made by, as far as an earlier daemon has said: it may have ended
  /// between a change of the manifest and what had to follow from it.
  private static io.fabric8.kubernetes.api.model.Container as(
      io.fabric8.kubernetes.api.model.Container spec,
      List<io.fabric8.kubernetes.api.model.ContainerStatus> known) {
    if (known.isEmpty() || known.getFirst().getState().getRunning() == null) {
      return spec;
    }
    var as = new ContainerBuilder(spec).withImage(known.getFirst().getImage());
    if (known.getFirst().getResources() != null) {
      as.withResources(known.getFirst().getResources());
    }
    return as.build();
  }

  private static void take(
      Cri cri,
      PodPaths paths,
      ContainerSlot slot,
      Container instance,
      String sandbox,
      List<io.fabric8.kubernetes.api.model.ContainerStatus> known) {
    int attempt = instance.getMetadata().getAttempt();
    boolean here = instance.getPodSandboxId().equals(sandbox);
    switch (instance.getState()) {
      case CONTAINER_RUNNING -> {
        Optional<ContainerStatus> status = status(cri, instance.getId());
        if (here
            && status.isPresent()
            && status.get().getState() == ContainerState.CONTAINER_RUNNING) {
          slot.running(
              instance.getId(),
              instance.getImageId(),
              at(status.get().getStartedAt()),
              as(slot.spec, known));
        } else {
          end(slot, termination(cri, paths, slot, instance.getId(), attempt));
        }
      }
      case CONTAINER_EXITED, CONTAINER_UNKNOWN, UNRECOGNIZED ->
          end(slot, termination(cri, paths, slot, instance.getId(), attempt));
      case CONTAINER_CREATED -> {
        // Cut off between create and start; it never ran. The number is used up, since its log may
        // exist.
        cri.removeContainer(instance.getId());
      }
    }
    slot.nextAttempt = Math.max(slot.nextAttempt, attempt + 1);
  }

  private static void end(ContainerSlot slot, Termination termination) {
    if (slot.ended == null || !slot.ended.containerId().equals(termination.containerId())) {
      slot.exited(termination);
    }
  }

  static List<String> ips(PodSandboxStatus status) {
    List<String> ips = new ArrayList<>();
    if (!status.getNetwork().getIp().isEmpty()) {
      ips.add(status.getNetwork().getIp());
      status.getNetwork().getAdditionalIpsList().forEach(ip -> ips.add(ip.getIp()));
    }
    return ips;
  }

  private static Optional<ContainerStatus> status(Cri cri, String id) {
    try {
      return Optional.of(cri.containerStatus(id));
    } catch (PeapodException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// How an instance ended, as far as the runtime still knows it; 137 where it does not.
  static Termination termination(
      Cri cri, PodPaths paths, ContainerSlot slot, String id, int attempt) {
    Optional<ContainerStatus> found = status(cri, id);
    if (found.isEmpty() || found.get().getState() != ContainerState.CONTAINER_EXITED) {
      return new Termination(
          id,
          attempt,
          137,
          "ContainerStatusUnknown",
          "The container could not be located when the pod was looked at",
          slot.startedAt,
          Instant.now());
    }
    ContainerStatus status = found.get();
    String reason =
        !status.getReason().isEmpty()
            ? status.getReason()
            : status.getExitCode() == 0 ? "Completed" : "Error";
    String message = message(paths, slot, attempt, status.getExitCode());
    return new Termination(
        id,
        attempt,
        status.getExitCode(),
        reason,
        message.isEmpty() ? status.getMessage() : message,
        at(status.getStartedAt()),
        at(status.getFinishedAt()));
  }

  private static String message(PodPaths paths, ContainerSlot slot, int attempt, int exitCode) {
    String message = head(paths.terminationMessage(slot.name(), attempt));
    if (message.isEmpty()
        && exitCode != 0
        && "FallbackToLogsOnError".equals(slot.spec.getTerminationMessagePolicy())) {
      message = LastWords.of(paths.log(slot.name(), attempt));
    }
    return message;
  }

  /// Bytes of a file that a container could write: bounded, and no link is followed.
  private static String head(Path file) {
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(MESSAGE_BYTES, channel.size()));
      while (buffer.hasRemaining() && channel.read(buffer) > 0) {}
      return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  private static Instant at(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }
}
