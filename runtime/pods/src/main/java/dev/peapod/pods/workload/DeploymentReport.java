package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.DeploymentConditionBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatusBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/// A Deployment's status as Kubernetes would report it.
final class DeploymentReport {
  static final String PROGRESSING = "Progressing";
  static final String AVAILABLE = "Available";
  static final String DONE = "NewReplicaSetAvailable";
  static final String LATE = "ProgressDeadlineExceeded";

  private final Deployment deployment;
  private final Optional<ReplicaSet> fresh;
  private final List<ReplicaSet> all;
  private final Instant now;
  private final DeploymentStatus before;

  DeploymentReport(
      Deployment deployment, Optional<ReplicaSet> fresh, List<ReplicaSet> all, Instant now) {
    this.deployment = deployment;
    this.fresh = fresh;
    this.all = all;
    this.now = now;
    this.before = deployment.getStatus() == null ? new DeploymentStatus() : deployment.getStatus();
  }

  /// @param news a reason of the condition `Progressing`; empty if there is none
  DeploymentStatus status(String news) {
    int replicas = sum(ReplicaSetStatus::getReplicas);
    int available = sum(ReplicaSetStatus::getAvailableReplicas);
    int wanted = deployment.getSpec().getReplicas();
    DeploymentStatus status =
        new DeploymentStatusBuilder()
            .withObservedGeneration(deployment.getMetadata().getGeneration())
            .withReplicas(replicas)
            .withUpdatedReplicas(
                fresh.map(ReplicaSet::getStatus).map(ReplicaSetStatus::getReplicas).orElse(0))
            .withReadyReplicas(sum(ReplicaSetStatus::getReadyReplicas))
            .withAvailableReplicas(available)
            .withUnavailableReplicas(Math.max(0, Math.max(wanted, replicas) - available))
            .build();
    List<DeploymentCondition> conditions = new ArrayList<>();
    boolean enough =
        available >= DeploymentController.rollout(deployment.getSpec()).leastAvailable();
    conditions.add(
        enough
            ? condition(
                AVAILABLE,
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
                false)
            : condition(
                AVAILABLE,
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
                false));
    conditions.add(progress(status, news));
    all.stream()
        .filter(set -> set.getStatus() != null)
        .flatMap(set -> set.getStatus().getConditions().stream())
        .findFirst()
        .ifPresent(
            failure ->
                conditions.add(
                    condition(
                        failure.getType(),
                        "True",
                        failure.getReason(),
                        failure.getMessage(),
                        false)));
    status.setConditions(conditions);
    return status;
  }

  private int sum(ToIntFunction<ReplicaSetStatus> part) {
    return all.stream()
        .map(ReplicaSet::getStatus)
        .filter(status -> status != null)
        .mapToInt(part)
        .sum();
  }

  private DeploymentCondition progress(DeploymentStatus status, String news) {
    String name = "\"" + fresh.map(set -> set.getMetadata().getName()).orElse("") + "\"";
    DeploymentCondition last = last(PROGRESSING);
    if (Boolean.TRUE.equals(deployment.getSpec().getPaused())) {
      return condition(PROGRESSING, "Unknown", "DeploymentPaused", "Deployment is paused", false);
    }
    if (news.equals("NewReplicaSetCreated")) {
      return condition(PROGRESSING, "True", news, "Created new replica set " + name, true);
    }
    if (!news.isEmpty()) {
      return condition(PROGRESSING, "True", news, "Found new replica set " + name, true);
    }
    if (isComplete(status)) {
      return condition(
          PROGRESSING, "True", DONE, "ReplicaSet " + name + " has successfully progressed.", false);
    }
    if (last != null && DONE.equals(last.getReason())) {
      // Pods that come and go later are no progress.
      return last;
    }
    if (last == null || "DeploymentPaused".equals(last.getReason()) || hasProgressed(status)) {
      return condition(
          PROGRESSING,
          "True",
          "ReplicaSetUpdated",
          "ReplicaSet " + name + " is progressing.",
          true);
    }
    if (LATE.equals(last.getReason())
        || deadline(before).filter(at -> !now.isBefore(at)).isPresent()) {
      return condition(
          PROGRESSING, "False", LATE, "ReplicaSet " + name + " has timed out progressing.", false);
    }
    return last;
  }

  private boolean isComplete(DeploymentStatus status) {
    int wanted = deployment.getSpec().getReplicas();
    return status.getUpdatedReplicas() == wanted
        && status.getReplicas() == wanted
        && status.getAvailableReplicas() >= wanted;
  }

  private boolean hasProgressed(DeploymentStatus status) {
    return status.getUpdatedReplicas() > or0(before.getUpdatedReplicas())
        || status.getReplicas() - status.getUpdatedReplicas()
            < or0(before.getReplicas()) - or0(before.getUpdatedReplicas())
        || status.getReadyReplicas() > or0(before.getReadyReplicas())
        || status.getAvailableReplicas() > or0(before.getAvailableReplicas());
  }

  private static int or0(@Nullable Integer value) {
    return value == null ? 0 : value;
  }

  private @Nullable DeploymentCondition last(String type) {
    return before.getConditions().stream()
        .filter(condition -> type.equals(condition.getType()))
        .findFirst()
        .orElse(null);
  }

  /// When a rollout that does not get on counts as failed; nothing for one that is done.
  Optional<Instant> deadline(DeploymentStatus status) {
    int seconds = deployment.getSpec().getProgressDeadlineSeconds();
    return status.getConditions().stream()
        .filter(c -> PROGRESSING.equals(c.getType()) && "True".equals(c.getStatus()))
        .filter(c -> !DONE.equals(c.getReason()) && seconds != Integer.MAX_VALUE)
        .map(c -> Instant.parse(c.getLastUpdateTime()).plusSeconds(seconds))
        .findFirst();
  }

  /// @param update whether something has happened that the time of the last update shows
  private DeploymentCondition condition(
      String type, String status, String reason, String message, boolean update) {
    DeploymentCondition last = last(type);
    boolean sameStatus = last != null && status.equals(last.getStatus());
    boolean same = sameStatus && last != null && reason.equals(last.getReason());
    String time = Timing.text(now);
    return new DeploymentConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason)
        .withMessage(message)
        .withLastTransitionTime(sameStatus && last != null ? last.getLastTransitionTime() : time)
        .withLastUpdateTime(same && !update && last != null ? last.getLastUpdateTime() : time)
        .build();
  }
}
