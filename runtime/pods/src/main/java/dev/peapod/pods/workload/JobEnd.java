package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How jobs end: first it is certain (`SuccessCriteriaMet`, `FailureTarget`), and once no pod runs
/// any more it is so (`Complete`, `Failed`).
enum JobEnd {
  SUCCESS("SuccessCriteriaMet", "Complete"),
  FAILURE("FailureTarget", "Failed");

  private static final String SUSPENDED = "Suspended";

  private final String certain;
  private final String over;

  JobEnd(String certain, String over) {
    this.certain = certain;
    this.over = over;
  }

  /// An end that has come about, and why.
  record Verdict(JobEnd end, String reason, String message) {}

  /// Whether a job is over.
  static boolean isOver(Job job) {
    return overSince(job).isPresent();
  }

  static boolean hasFailed(Job job) {
    return condition(JobTally.status(job), FAILURE.over).isPresent();
  }

  /// Since when a job is over.
  static Optional<Instant> overSince(Job job) {
    JobStatus status = JobTally.status(job);
    return condition(status, SUCCESS.over)
        .or(() -> condition(status, FAILURE.over))
        .map(condition -> Instant.parse(condition.getLastTransitionTime()));
  }

  private static Optional<JobCondition> condition(JobStatus status, String type) {
    return status.getConditions().stream()
        .filter(c -> type.equals(c.getType()) && "True".equals(c.getStatus()))
        .findFirst();
  }

  /// The end that is certain already, or that has come about now.
  static Optional<Verdict> verdict(Job job, JobTally tally, List<Pod> active, Instant now) {
    for (JobEnd end : values()) {
      Optional<JobCondition> condition = condition(JobTally.status(job), end.certain);
      if (condition.isPresent()) {
        return condition.map(c -> new Verdict(end, c.getReason(), c.getMessage()));
      }
    }
    if (tally.ruin().isPresent()) {
      return tally.ruin().map(why -> new Verdict(FAILURE, "PodFailurePolicy", why));
    }
    int limit = job.getSpec().getBackoffLimit();
    if (tally.failed() > limit || restartsTooOften(job, active, limit)) {
      return Optional.of(
          new Verdict(
              FAILURE, "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }
    if (deadline(job).filter(at -> !now.isBefore(at)).isPresent()) {
      return Optional.of(
          new Verdict(
              FAILURE, "DeadlineExceeded", "Job was active longer than specified deadline"));
    }
    if (JobTally.isLimitedByIndex(job)) {
      Optional<Verdict> lost = indexesLost(job, tally);
      if (lost.isPresent()) {
        return lost;
      }
    }
    Optional<Integer> rule = tally.successRule();
    if (rule.isPresent()) {
      return rule.map(
          index -> new Verdict(SUCCESS, "SuccessPolicy", "Matched rules at index " + index));
    }
    Integer completions = job.getSpec().getCompletions();
    boolean enough =
        completions == null
            ? tally.succeeded() > 0 && active.isEmpty()
            : tally.succeeded() >= completions;
    return enough
        ? Optional.of(
            new Verdict(SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods"))
        : Optional.empty();
  }

  private static Optional<Verdict> indexesLost(Job job, JobTally tally) {
    Integer most = job.getSpec().getMaxFailedIndexes();
    if (most != null && tally.lost() > most) {
      return Optional.of(
          new Verdict(
              FAILURE,
              "MaxFailedIndexesExceeded",
              "Job has exceeded the specified maximal number of failed indexes"));
    }
    return tally.lost() > 0 && tally.lost() + tally.succeeded() >= job.getSpec().getCompletions()
        ? Optional.of(new Verdict(FAILURE, "FailedIndexes", "Job has failed indexes"))
        : Optional.empty();
  }

  /// Containers that are started again in their pod count like pods.
  private static boolean restartsTooOften(Job job, List<Pod> active, int limit) {
    int restarts = active.stream().mapToInt(PodFacts::restarts).sum();
    return "OnFailure".equals(job.getSpec().getTemplate().getSpec().getRestartPolicy())
        && restarts >= Math.max(1, limit);
  }

  /// When a job that runs will have taken too long.
  static Optional<Instant> deadline(Job job) {
    Long seconds = job.getSpec().getActiveDeadlineSeconds();
    String start = JobTally.status(job).getStartTime();
    return seconds == null || start == null
        ? Optional.empty()
        : Optional.of(Instant.parse(start).plusSeconds(seconds));
  }

  /// Writes an end into a job's status.
  ///
  /// @param all whether nothing runs any more
  static void write(JobStatus status, Verdict verdict, boolean all, Instant now) {
    List<JobCondition> conditions = new ArrayList<>(status.getConditions());
    for (String type :
        all ? List.of(verdict.end.certain, verdict.end.over) : List.of(verdict.end.certain)) {
      if (condition(status, type).isEmpty()) {
        conditions.add(condition(type, true, verdict.reason, verdict.message, now));
      }
    }
    status.setConditions(conditions);
    if (all && verdict.end == SUCCESS) {
      status.setCompletionTime(Timing.text(now));
    }
  }

  /// Writes into a job's status whether it is suspended; a job that never was says nothing.
  static void writeSuspension(JobStatus status, boolean suspended, Instant now) {
    boolean before = condition(status, SUSPENDED).isPresent();
    if (before == suspended) {
      return;
    }
    List<JobCondition> conditions = new ArrayList<>(status.getConditions());
    conditions.removeIf(condition -> SUSPENDED.equals(condition.getType()));
    conditions.add(
        suspended
            ? condition(SUSPENDED, true, "JobSuspended", "Job suspended", now)
            : condition(SUSPENDED, false, "JobResumed", "Job resumed", now));
    status.setConditions(conditions);
    status.setStartTime(suspended ? null : Timing.text(now));
  }

  /// Lets it be known what a new status says that the one before did not.
  static void tell(Hands hands, Job before, Job after) {
    if (isOver(after) && !isOver(before)) {
      condition(JobTally.status(after), FAILURE.over)
          .ifPresentOrElse(
              failed -> hands.warn(after, failed.getReason(), failed.getMessage()),
              () -> hands.tell(after, "Completed", "Job completed"));
    }
    boolean was = condition(JobTally.status(before), SUSPENDED).isPresent();
    boolean is = condition(JobTally.status(after), SUSPENDED).isPresent();
    if (was != is) {
      hands.tell(after, is ? "Suspended" : "Resumed", is ? "Job suspended" : "Job resumed");
    }
  }

  private static JobCondition condition(
      String type, boolean status, String reason, String message, Instant now) {
    return new JobConditionBuilder()
        .withType(type)
        .withStatus(status ? "True" : "False")
        .withReason(reason)
        .withMessage(message)
        .withLastProbeTime(Timing.text(now))
        .withLastTransitionTime(Timing.text(now))
        .build();
  }
}
