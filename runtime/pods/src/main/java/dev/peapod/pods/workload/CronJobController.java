package dev.peapod.pods.workload;

import dev.peapod.pods.cron.CronSchedule;
import dev.peapod.pods.object.ObjectKey;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import java.time.Instant;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Makes a Job at each time of a CronJob's schedule. Of the times that were missed (the daemon was
/// down, the clock was put forward) the last one counts alone, so nothing ever comes in bursts.
final class CronJobController implements Controller<CronJob> {
  private static final String SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp";

  private final Hands hands;

  CronJobController(Hands hands) {
    this.hands = hands;
  }

  @Override
  public Optional<Instant> reconcile(CronJob cron, Scene scene) {
    Instant now = scene.now();
    List<Job> jobs = scene.owned(cron, Job.class);
    forgetHistory(cron, jobs);
    List<Job> active = jobs.stream().filter(job -> !JobEnd.isOver(job)).toList();
    CronJobStatus status = status(cron, jobs, active);
    tellOfEnds(cron, jobs);
    CronJobSpec spec = cron.getSpec();
    CronSchedule schedule = CronSchedule.parse(spec.getSchedule());
    ZoneId zone = zone(spec.getTimeZone());
    if (!Boolean.TRUE.equals(spec.getSuspend())) {
      due(cron, schedule, zone, now)
          .filter(time -> active.isEmpty() || !spec.getConcurrencyPolicy().equals("Forbid"))
          .ifPresent(
              time -> {
                if (spec.getConcurrencyPolicy().equals("Replace")) {
                  active.forEach(job -> delete(cron, job));
                  status.setActive(List.of());
                }
                make(cron, time);
                status.setLastScheduleTime(Timing.text(time));
              });
    }
    if (!status.equals(cron.getStatus())) {
      hands.update(cron, new CronJobBuilder(cron).withStatus(status).build());
    }
    return schedule.next(now, zone);
  }

  static ZoneId zone(@Nullable String name) {
    return name == null ? ZoneId.systemDefault() : ZoneId.of(name);
  }

  /// The last time of the schedule that has come and had no job yet.
  private static Optional<Instant> due(
      CronJob cron, CronSchedule schedule, ZoneId zone, Instant now) {
    String last = cron.getStatus() == null ? null : cron.getStatus().getLastScheduleTime();
    Instant after = Instant.parse(last == null ? cron.getMetadata().getCreationTimestamp() : last);
    Long deadline = cron.getSpec().getStartingDeadlineSeconds();
    if (deadline != null && now.minusSeconds(deadline).isAfter(after)) {
      after = now.minusSeconds(deadline);
    }
    return schedule.last(after, now, zone);
  }

  private void make(CronJob cron, Instant time) {
    ObjectMeta template = cron.getSpec().getJobTemplate().getMetadata();
    Map<String, String> annotations = new HashMap<>();
    if (template.getAnnotations() != null) {
      annotations.putAll(template.getAnnotations());
    }
    annotations.put(SCHEDULED, Timing.text(time));
    // The name is the time's, so that one time never has two jobs.
    Job job =
        new JobBuilder()
            .withNewMetadata()
            .withName(cron.getMetadata().getName() + "-" + time.getEpochSecond() / 60)
            .endMetadata()
            .withSpec(cron.getSpec().getJobTemplate().getSpec())
            .build();
    hands.put(
        cron, job, template.getLabels() == null ? Map.of() : template.getLabels(), annotations);
    hands.tell(cron, "SuccessfulCreate", "Created job " + job.getMetadata().getName());
  }

  private static CronJobStatus status(CronJob cron, List<Job> jobs, List<Job> active) {
    CronJobStatus before = cron.getStatus() == null ? new CronJobStatus() : cron.getStatus();
    String success =
        jobs.stream()
            .map(job -> JobTally.status(job).getCompletionTime())
            .filter(time -> time != null)
            .max(String::compareTo)
            .orElse("");
    String earlier = before.getLastSuccessfulTime();
    return new CronJobStatusBuilder()
        .withLastScheduleTime(before.getLastScheduleTime())
        .withLastSuccessfulTime(
            success.isEmpty() || (earlier != null && earlier.compareTo(success) > 0)
                ? earlier
                : success)
        .withActive(active.stream().map(CronJobController::reference).toList())
        .build();
  }

  /// A Job that is over and was active when we last looked has just come to its end.
  private void tellOfEnds(CronJob cron, List<Job> jobs) {
    if (cron.getStatus() == null) {
      return;
    }
    Set<String> before =
        cron.getStatus().getActive().stream()
            .map(ObjectReference::getUid)
            .collect(Collectors.toSet());
    jobs.stream()
        .filter(job -> JobEnd.isOver(job) && before.contains(job.getMetadata().getUid()))
        .forEach(
            job ->
                hands.tell(
                    cron,
                    "SawCompletedJob",
                    "Saw completed job: "
                        + job.getMetadata().getName()
                        + ", condition: "
                        + (JobEnd.hasFailed(job) ? "Failed" : "Complete")));
  }

  private static ObjectReference reference(Job job) {
    return new ObjectReferenceBuilder()
        .withApiVersion(job.getApiVersion())
        .withKind(job.getKind())
        .withName(job.getMetadata().getName())
        .withNamespace(job.getMetadata().getNamespace())
        .withUid(job.getMetadata().getUid())
        .build();
  }

  private void forgetHistory(CronJob cron, List<Job> jobs) {
    forget(cron, jobs, false, cron.getSpec().getSuccessfulJobsHistoryLimit());
    forget(cron, jobs, true, cron.getSpec().getFailedJobsHistoryLimit());
  }

  private void forget(CronJob cron, List<Job> jobs, boolean failed, int most) {
    List<Job> over =
        jobs.stream().filter(job -> JobEnd.isOver(job) && JobEnd.hasFailed(job) == failed).toList();
    over.stream()
        .limit(Math.max(0, over.size() - most))
        .forEach(job -> delete(cron, job));
  }

  private void delete(CronJob cron, Job job) {
    hands.delete(ObjectKey.of(job));
    hands.tell(cron, "SuccessfulDelete", "Deleted job " + job.getMetadata().getName());
  }
}
