package dev.peapod.pods.supervisor;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What a pod's containers come to: whose turn it is to run, and the pod's phase.
final class PodPhase {
  static final String PENDING = "Pending";
  static final String RUNNING = "Running";
  static final String SUCCEEDED = "Succeeded";
  static final String FAILED = "Failed";

  private PodPhase() {}

  static boolean isFinal(String phase) {
    return phase.equals(SUCCEEDED) || phase.equals(FAILED);
  }

  /// The containers that are to run now if they do not: init containers one after the other,
  /// sidecars from their turn on, and all the rest together.
  static Stream<ContainerSlot> turn(
      Pod pod, List<ContainerSlot> inits, List<ContainerSlot> mains) {
    List<ContainerSlot> turn = new ArrayList<>();
    boolean through = true;
    for (ContainerSlot init : inits) {
      if (init.isInitialized() && init.role == ContainerSlot.Role.INIT) {
        continue;
      }
      turn.add(init);
      if (!init.isInitialized()) {
        through = false;
        break;
      }
    }
    if (through) {
      turn.addAll(mains);
    }
    return turn.stream().filter(slot -> RestartRules.wantsToRun(pod, slot));
  }

  /// The phase as the containers themselves have it; a final one means that nothing more is to run,
  /// though sidecars may do so yet.
  static String of(Pod pod, List<ContainerSlot> inits, List<ContainerSlot> mains) {
    for (ContainerSlot init : inits) {
      if (!init.isInitialized()) {
        boolean over =
            init.state == ContainerSlot.State.EXITED && !RestartRules.wantsToRun(pod, init);
        return over ? FAILED : PENDING;
      }
    }
    boolean running = false;
    boolean failed = false;
    for (ContainerSlot slot : mains) {
      switch (slot.state) {
        case WAITING, STARTING -> {
          if (slot.last == null && slot.ended == null) {
            return PENDING;
          }
          running = true;
        }
        case RUNNING, STOPPING -> running = true;
        case EXITED -> {
          running |= RestartRules.wantsToRun(pod, slot);
          failed |= !slot.succeeded();
        }
      }
    }
    return running ? RUNNING : failed ? FAILED : SUCCEEDED;
  }
}
