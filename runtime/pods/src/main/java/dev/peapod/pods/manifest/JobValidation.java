package dev.peapod.pods.manifest;

import dev.peapod.pods.cron.CronSchedule;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import java.time.ZoneId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of Jobs and CronJobs with their defaults.
final class JobValidation {
  /// Room for eleven characters that a CronJob's jobs have after its name.
  private static final int LONGEST_CRON_NAME = 52;

  private static final int LONGEST_INDEXED_NAME = 63;
  private static final int MOST_INDEXES = 100_000;

  private final Rules rules;

  JobValidation(Rules rules) {
    this.rules = rules;
  }

  void job(Job job) {
    spec(rules, job.getSpec());
    Integer completions = job.getSpec().getCompletions();
    String name = job.getMetadata().getName();
    if ("Indexed".equals(job.getSpec().getCompletionMode())
        && completions != null
        && name != null) {
      // Of the last pod the name is its host's name too.
      String longest = name + "-" + Math.max(0, completions - 1);
      if (longest.length() > LONGEST_INDEXED_NAME) {
        rules.invalid(
            "metadata.name",
            name,
            "will not able to create pod with invalid DNS label: " + longest);
      }
    }
  }

  void cronJob(CronJob cron) {
    String name = cron.getMetadata().getName();
    if (name != null && name.length() > LONGEST_CRON_NAME) {
      rules.invalid("metadata.name", name, "must be no more than 52 characters");
    }
    CronJobSpec spec = cron.getSpec();
    if (rules.required("spec.schedule", spec.getSchedule())) {
      schedule(spec.getSchedule());
    }
    zone(spec.getTimeZone());
    rules.notNegative("spec.startingDeadlineSeconds", spec.getStartingDeadlineSeconds());
    rules.notNegative("spec.successfulJobsHistoryLimit", spec.getSuccessfulJobsHistoryLimit());
    rules.notNegative("spec.failedJobsHistoryLimit", spec.getFailedJobsHistoryLimit());
    rules.oneOf(
        "spec.concurrencyPolicy",
        spec.getConcurrencyPolicy(),
        Set.of("Allow", "Forbid", "Replace"));
    Rules below = rules.below("spec.jobTemplate");
    new MetadataValidation(below).words(spec.getJobTemplate().getMetadata());
    spec(below, spec.getJobTemplate().getSpec());
  }

  private void schedule(String schedule) {
    if (schedule.contains("TZ")) {
      rules.invalid(
          "spec.schedule",
          schedule,
          "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
      return;
    }
    try {
      CronSchedule.parse(schedule);
    } catch (IllegalArgumentException e) {
      rules.invalid("spec.schedule", schedule, String.valueOf(e.getMessage()));
    }
  }

  private void zone(@Nullable String zone) {
    if (zone == null) {
      return;
    }
    if (zone.isEmpty()) {
      rules.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string");
    } else if (zone.equalsIgnoreCase("Local")) {
      rules.invalid(
          "spec.timeZone",
          zone,
          "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
    } else if (!ZoneId.getAvailableZoneIds().contains(zone)) {
      rules.invalid("spec.timeZone", zone, "unknown time zone " + zone);
    }
  }

  /// @param rules below what has the spec
  private static void spec(Rules rules, JobSpec spec) {
    rules.notNegative("spec.parallelism", spec.getParallelism());
    rules.notNegative("spec.completions", spec.getCompletions());
    rules.notNegative("spec.activeDeadlineSeconds", spec.getActiveDeadlineSeconds());
    rules.notNegative("spec.backoffLimit", spec.getBackoffLimit());
    rules.notNegative("spec.backoffLimitPerIndex", spec.getBackoffLimitPerIndex());
    rules.notNegative("spec.maxFailedIndexes", spec.getMaxFailedIndexes());
    rules.notNegative("spec.ttlSecondsAfterFinished", spec.getTtlSecondsAfterFinished());
    rules.oneOf("spec.completionMode", spec.getCompletionMode(), Set.of("NonIndexed", "Indexed"));
    rules.oneOf(
        "spec.podReplacementPolicy",
        spec.getPodReplacementPolicy(),
        spec.getPodFailurePolicy() == null
            ? Set.of("Failed", "TerminatingOrFailed")
            : Set.of("Failed"));
    new JobPolicyValidation(rules, spec).check();
    if ("Indexed".equals(spec.getCompletionMode())) {
      indexes(rules, spec);
    } else {
      onlyIndexed(rules, "spec.backoffLimitPerIndex", spec.getBackoffLimitPerIndex());
      onlyIndexed(rules, "spec.maxFailedIndexes", spec.getMaxFailedIndexes());
    }
    if (spec.getMaxFailedIndexes() != null && spec.getBackoffLimitPerIndex() == null) {
      rules.error(
          "spec.backoffLimitPerIndex", "Required value: when maxFailedIndexes is specified");
    }
    String policy = spec.getTemplate().getSpec().getRestartPolicy();
    if ("Always".equals(policy)) {
      rules.error(
          "spec.template.spec.restartPolicy",
          "Required value: valid values: \"OnFailure\", \"Never\"");
    } else {
      rules.oneOf("spec.template.spec.restartPolicy", policy, Set.of("OnFailure", "Never"));
    }
    WorkloadValidation.template(rules.below("spec.template"), spec.getTemplate());
  }

  private static void onlyIndexed(Rules rules, String path, @Nullable Integer value) {
    if (value != null) {
      rules.invalid(path, value, "requires indexed completion mode");
    }
  }

  private static void indexes(Rules rules, JobSpec spec) {
    if (spec.getCompletions() == null) {
      rules.error("spec.completions", "Required value: when completion mode is Indexed");
    } else if (spec.getCompletions() > MOST_INDEXES) {
      rules.invalid(
          "spec.completions",
          spec.getCompletions(),
          "must be less than or equal to 100000 when completion mode is Indexed");
    }
    Integer most = spec.getMaxFailedIndexes();
    if (most != null && spec.getCompletions() != null && most > spec.getCompletions()) {
      rules.invalid(
          "spec.maxFailedIndexes", most, "must be less than or equal to completions");
    }
    if (spec.getParallelism() > MOST_INDEXES) {
      rules.invalid(
          "spec.parallelism",
          spec.getParallelism(),
          "must be less than or equal to 100000 when completion mode is Indexed");
    }
  }
}
