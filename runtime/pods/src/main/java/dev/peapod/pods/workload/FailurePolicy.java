package dev.peapod.pods.workload;

import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicy;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyOnExitCodesRequirement;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What a job's podFailurePolicy says of a pod that has failed: the first rule that matches counts.
sealed interface FailurePolicy {
  /// It is one of the failures of the job's backoffLimit.
  record Count() implements FailurePolicy {}

  /// It is none of them, and the pod is made anew.
  record Ignore() implements FailurePolicy {}

  /// Its index has failed with it.
  record FailIndex() implements FailurePolicy {}

  /// The job has failed with it.
  ///
  /// @param why in Kubernetes' words
  record FailJob(String why) implements FailurePolicy {}

  /// What is said of a pod that has failed; without a policy it counts.
  static FailurePolicy of(Job job, Pod pod) {
    PodFailurePolicy policy = job.getSpec().getPodFailurePolicy();
    List<PodFailurePolicyRule> rules = policy == null ? List.of() : policy.getRules();
    for (int i = 0; i < rules.size(); i++) {
      Optional<String> match = match(rules.get(i), pod);
      if (match.isPresent()) {
        String action = rules.get(i).getAction();
        return switch (action) {
          case "FailJob" ->
              new FailJob(match.get() + " matching " + action + " rule at index " + i);
          case "FailIndex" -> new FailIndex();
          case "Ignore" -> new Ignore();
          default -> new Count();
        };
      }
    }
    return new Count();
  }

  private static Optional<String> match(PodFailurePolicyRule rule, Pod pod) {
    PodStatus status = pod.getStatus() == null ? new PodStatus() : pod.getStatus();
    if (rule.getOnExitCodes() != null) {
      return Stream.concat(
              status.getContainerStatuses().stream(), status.getInitContainerStatuses().stream())
          .filter(container -> matches(rule.getOnExitCodes(), container))
          .map(
              container ->
                  "Container "
                      + container.getName()
                      + " for pod "
                      + PodKey.of(pod)
                      + " failed with exit code "
                      + container.getState().getTerminated().getExitCode())
          .findFirst();
    }
    return rule.getOnPodConditions().stream()
        .filter(
            wanted ->
                status.getConditions().stream()
                    .anyMatch(
                        condition ->
                            wanted.getType().equals(condition.getType())
                                && wanted.getStatus().equals(condition.getStatus())))
        .map(wanted -> "Pod " + PodKey.of(pod) + " has condition " + wanted.getType())
        .findFirst();
  }

  private static boolean matches(
      PodFailurePolicyOnExitCodesRequirement wanted, ContainerStatus container) {
    if (container.getState() == null || container.getState().getTerminated() == null) {
      return false;
    }
    int code = container.getState().getTerminated().getExitCode();
    return code != 0
        && (wanted.getContainerName() == null
            || wanted.getContainerName().equals(container.getName()))
        && wanted.getValues().contains(code) == wanted.getOperator().equals("In");
  }
}
