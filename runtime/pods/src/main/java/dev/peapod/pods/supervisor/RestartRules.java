package dev.peapod.pods.supervisor;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerRestartRule;
import io.fabric8.kubernetes.api.model.Pod;

/// Whether a container that has ended is to run again: its own policy and rules before its pod's.
public final class RestartRules {
  private RestartRules() {}

  /// @param init whether the container stands among the pod's init containers
  public static boolean runsAgain(Pod pod, Container container, boolean init, int exitCode) {
    boolean ruled =
        container.getRestartPolicyRules().stream().anyMatch(rule -> matches(rule, exitCode));
    return ruled
        || switch (policy(pod, container)) {
          case "Never" -> false;
          case "OnFailure" -> exitCode != 0;
          default -> exitCode != 0 || !init || isSidecar(container);
        };
  }

  /// Whether an init container is a sidecar: it runs on beside the containers that come after it.
  public static boolean isSidecar(Container initContainer) {
    return "Always".equals(initContainer.getRestartPolicy());
  }

  /// Whether the policy would have the container run, sooner or later.
  static boolean wantsToRun(Pod pod, ContainerSlot slot) {
    return switch (slot.state) {
      case WAITING -> true;
      case STARTING, RUNNING, STOPPING -> false;
      case EXITED ->
          slot.restartWanted
              || slot.ended == null
              || runsAgain(
                  pod,
                  slot.spec,
                  slot.role == ContainerSlot.Role.INIT || slot.role == ContainerSlot.Role.SIDECAR,
                  slot.ended.exitCode());
    };
  }

  private static String policy(Pod pod, Container container) {
    String own = container.getRestartPolicy();
    return own == null || own.isEmpty() ? pod.getSpec().getRestartPolicy() : own;
  }

  private static boolean matches(ContainerRestartRule rule, int exitCode) {
    boolean listed = rule.getExitCodes().getValues().contains(exitCode);
    return listed == rule.getExitCodes().getOperator().equals("In");
  }
}
