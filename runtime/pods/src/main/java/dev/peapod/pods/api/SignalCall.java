package dev.peapod.pods.api;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.Signals;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.proto.peapod.v1.PodSignalRequest;
import dev.peapod.proto.peapod.v1.PodSignalResponse;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;

/// The `Signal` rpc. The CRI has no words for it, but its verbose statuses tell processes, and they
/// are on this machine.
final class SignalCall {
  private final PodBoard board;
  private final Cri cri;

  SignalCall(PodBoard board, Cri cri) {
    this.board = board;
    this.cri = cri;
  }

  PodSignalResponse serve(PodSignalRequest request) {
    int signal =
        Signals.number(request.getSignal())
            .orElseThrow(
                () ->
                    PeapodException.invalid("there is no signal \"" + request.getSignal() + "\""));
    Pod pod = Targets.pod(board, request.getNamespace(), request.getName()).pod();
    List<ContainerStatus> targets;
    if (request.getContainer().isEmpty()) {
      targets = Targets.statuses(pod).filter(s -> Targets.running(s).isPresent()).toList();
    } else {
      String name = Targets.container(pod, request.getContainer()).getName();
      Targets.requireRunning(pod, name);
      targets = Targets.status(pod, name).stream().toList();
    }
    if (targets.isEmpty()) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, "no container of pod " + request.getName() + " is running");
    }
    PodSignalResponse.Builder response = PodSignalResponse.newBuilder();
    for (ContainerStatus status : targets) {
      send(Targets.requireRunning(pod, status.getName()), status.getName(), signal);
      response.addContainers(status.getName());
    }
    return response.build();
  }

  private void send(String id, String name, int signal) {
    int pid = cri.pid(id);
    Optional<Pidfd> process = Pidfd.open(pid);
    if (process.isPresent()) {
      try (Pidfd opened = process.get()) {
        // Asked again: had it ended before it was opened, the number might be another's by now.
        if (cri.pid(id) == pid && opened.signal(signal)) {
          return;
        }
      }
    }
    throw new PeapodException(
        Kind.FAILED_PRECONDITION, "container " + name + " has just ended");
  }
}
