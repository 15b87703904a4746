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
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Makes a Job at each time of a CronJob's schedule. Of the times that were missed (the daemon was
/// down, the clock was put forward) the last one counts alone, so nothing ever comes in bursts.
final class CronJobController implements Controller<CronJob> {
  private static final String SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp";
  private static final DateTimeFormatter MISSED =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);
  private static final int MANY = 100;

  private final Hands hands;

  /// The last time of each that came without a job of its own and was told of.
  private final Map<ObjectKey, Instant> told = new HashMap<>();

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
      Instant since = since(cron);
      Instant after = afterDeadline(spec, since, now);
      Optional<Instant> due = schedule.last(after, now, zone);
      if (due.isEmpty()) {
        schedule.last(since, now, zone).ifPresent(time -> tellOfMiss(cron, time, scene));
      } else if (!active.isEmpty() && spec.getConcurrencyPolicy().equals("Forbid")) {
        tellOfWait(cron, due.get(), scene);
      } else {
        if (isMissedOften(schedule, after, now, zone)) {
          hands.warn(
              cron,
              "TooManyMissedTimes",
              "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check"
                  + " clock skew");
        }
        if (spec.getConcurrencyPolicy().equals("Replace")) {
          active.forEach(job -> delete(cron, job));
          status.setActive(List.of());
        }
        make(cron, due.get());
        status.setLastScheduleTime(Timing.text(due.get()));
      }
    }
    if (!status.equals(cron.getStatus())) {
      hands.update(cron, new CronJobBuilder(cron).withStatus(status).build());
    }
    return schedule.next(now, zone);
  }

  static ZoneId zone(@Nullable String name) {
    return name == null ? ZoneId.systemDefault() : ZoneId.of(name);
  }

  /// No time before this one is without its job.
  private static Instant since(CronJob cron) {
    String last = cron.getStatus() == null ? null : cron.getStatus().getLastScheduleTime();
    return Instant.parse(last == null ? cron.getMetadata().getCreationTimestamp() : last);
  }

  /// No time up to this one gets a job any more.
  private static Instant afterDeadline(CronJobSpec spec, Instant since, Instant now) {
    Long deadline = spec.getStartingDeadlineSeconds();
    return deadline != null && now.minusSeconds(deadline).isAfter(since)
        ? now.minusSeconds(deadline)
        : since;
  }

  private static boolean isMissedOften(
      CronSchedule schedule, Instant after, Instant now, ZoneId zone) {
    Optional<Instant> time = schedule.next(after, zone);
    for (int i = 0; i < MANY && time.isPresent(); i++) {
      time = schedule.next(time.get(), zone);
    }
    return time.isPresent() && !time.get().isAfter(now);
  }

  private void tellOfMiss(CronJob cron, Instant time, Scene scene) {
    if (isNews(cron, time, scene)) {
      hands.warn(
          cron, "MissSchedule", "Missed scheduled time to start a job: " + MISSED.format(time));
    }
  }

  private void tellOfWait(CronJob cron, Instant time, Scene scene) {
    if (isNews(cron, time, scene)) {
      hands.tell(
          cron,
          "JobAlreadyActive",
          "Not starting job because prior execution is running and concurrency policy is Forbid");
    }
  }

  /// Whether a time that comes without its job was not told of.
  private boolean isNews(CronJob cron, Instant time, Scene scene) {
    boolean news = !time.equals(told.put(ObjectKey.of(cron), time));
    if (news) {
      told.keySet().removeIf(key -> !scene.has(key));
    }
    return news;
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

  /// A Job that is over and was active when we last looked has just come to its end, and one that
  /// is not there was deleted.
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
    Set<String> present =
        jobs.stream().map(job -> job.getMetadata().getUid()).collect(Collectors.toSet());
    cron.getStatus().getActive().stream()
        .filter(job -> !present.contains(job.getUid()))
        .forEach(
            job -> hands.tell(cron, "MissingJob", "Active job went missing: " + job.getName()));
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
