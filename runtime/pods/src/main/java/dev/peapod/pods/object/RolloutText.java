package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How far a rollout is, in the words of `kubectl rollout status`.
public final class RolloutText {
  /// @param failed it does not get on
  public record Progress(String message, boolean done, boolean failed) {}

  private RolloutText() {}

  /// Nothing for what is rolled out at once or not at all.
  public static Optional<Progress> of(HasMetadata object) {
    return switch (object) {
      case Deployment deployment -> Optional.of(deployment(deployment));
      case DaemonSet set -> Optional.of(daemonSet(set));
      default -> Optional.empty();
    };
  }

  /// A template as `kubectl rollout history --revision` shows it.
  public static String template(PodTemplateSpec template) {
    StringBuilder out = new StringBuilder();
    WorkloadDescription.write(out, template);
    return out.toString();
  }

  private static Progress deployment(Deployment deployment) {
    String name = "\"" + deployment.getMetadata().getName() + "\"";
    DeploymentStatus status = deployment.getStatus();
    if (!isSeen(deployment, status == null ? null : status.getObservedGeneration())
        || status == null) {
      return waiting("Waiting for deployment spec update to be observed...");
    }
    boolean late =
        status.getConditions().stream()
            .anyMatch(c -> "ProgressDeadlineExceeded".equals(c.getReason()));
    if (late) {
      return new Progress("deployment " + name + " exceeded its progress deadline", false, true);
    }
    String still = "Waiting for deployment " + name + " rollout to finish: ";
    int wanted = deployment.getSpec().getReplicas();
    int updated = status.getUpdatedReplicas();
    if (updated < wanted) {
      return waiting(still + updated + " out of " + wanted + " new replicas have been updated...");
    }
    if (status.getReplicas() > updated) {
      return waiting(
          still + (status.getReplicas() - updated) + " old replicas are pending termination...");
    }
    if (status.getAvailableReplicas() < updated) {
      return waiting(
          still
              + status.getAvailableReplicas()
              + " of "
              + updated
              + " updated replicas are available...");
    }
    return new Progress("deployment " + name + " successfully rolled out", true, false);
  }

  private static Progress daemonSet(DaemonSet set) {
    String name = "\"" + set.getMetadata().getName() + "\"";
    DaemonSetStatus status = set.getStatus();
    if (!isSeen(set, status == null ? null : status.getObservedGeneration()) || status == null) {
      return waiting("Waiting for daemon set spec update to be observed...");
    }
    String still = "Waiting for daemon set " + name + " rollout to finish: ";
    if (status.getUpdatedNumberScheduled() < 1) {
      return waiting(still + "0 out of 1 new pods have been updated...");
    }
    if (status.getNumberAvailable() < 1) {
      return waiting(still + "0 of 1 updated pods are available...");
    }
    return new Progress("daemon set " + name + " successfully rolled out", true, false);
  }

  private static boolean isSeen(HasMetadata object, @Nullable Long observed) {
    return observed != null && observed >= object.getMetadata().getGeneration();
  }

  private static Progress waiting(String message) {
    return new Progress(message, false, false);
  }
}
