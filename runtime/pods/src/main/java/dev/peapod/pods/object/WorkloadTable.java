package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatus;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Workloads as rows of a table, with the columns that `kubectl get` has.
final class WorkloadTable {
  private WorkloadTable() {}

  static List<String> columns(ObjectKind kind) {
    return switch (kind) {
      case DEPLOYMENT -> List.of("READY", "UP-TO-DATE", "AVAILABLE");
      case REPLICA_SET -> List.of("DESIRED", "CURRENT", "READY");
      case DAEMON_SET -> List.of("DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE");
      case JOB -> List.of("STATUS", "COMPLETIONS", "DURATION");
      case CRON_JOB -> List.of("SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE");
      case CONFIG_MAP, SECRET, CLAIM, SERVICE -> List.of();
    };
  }

  static List<String> cells(HasMetadata object, Instant now) {
    return switch (object) {
      case Deployment deployment -> {
        DeploymentStatus status = or(deployment.getStatus(), new DeploymentStatus());
        yield List.of(
            number(status.getReadyReplicas()) + "/" + number(deployment.getSpec().getReplicas()),
            number(status.getUpdatedReplicas()),
            number(status.getAvailableReplicas()));
      }
      case ReplicaSet set -> {
        ReplicaSetStatus status = or(set.getStatus(), new ReplicaSetStatus());
        yield List.of(
            number(set.getSpec().getReplicas()),
            number(status.getReplicas()),
            number(status.getReadyReplicas()));
      }
      case DaemonSet set -> {
        DaemonSetStatus status = or(set.getStatus(), new DaemonSetStatus());
        yield List.of(
            "1",
            number(status.getCurrentNumberScheduled()),
            number(status.getNumberReady()),
            number(status.getUpdatedNumberScheduled()),
            number(status.getNumberAvailable()));
      }
      case Job job -> List.of(jobStatus(job), completions(job), duration(job, now));
      case CronJob cron -> {
        CronJobStatus status = or(cron.getStatus(), new CronJobStatus());
        yield List.of(
            cron.getSpec().getSchedule(),
            or(cron.getSpec().getTimeZone(), "<none>"),
            Boolean.TRUE.equals(cron.getSpec().getSuspend()) ? "True" : "False",
            Integer.toString(status.getActive().size()),
            status.getLastScheduleTime() == null
                ? "<none>"
                : age(Duration.between(Instant.parse(status.getLastScheduleTime()), now)));
      }
      default -> throw new IllegalArgumentException(object.getKind());
    };
  }

  /// The titles after AGE of a wide table.
  static List<String> wideColumns(ObjectKind kind) {
    return kind.isWorkload() ? List.of("CONTAINERS", "IMAGES", "SELECTOR") : List.of();
  }

  /// A row's cells below [#wideColumns].
  static List<String> wideCells(HasMetadata object) {
    return template(object)
        .map(
            template ->
                List.of(
                    joined(template, Container::getName),
                    joined(template, Container::getImage),
                    Selectors.text(selector(object))))
        .orElse(List.of());
  }

  private static String joined(PodTemplateSpec template, Function<Container, String> part) {
    return template.getSpec().getContainers().stream().map(part).collect(Collectors.joining(","));
  }

  static Optional<PodTemplateSpec> template(HasMetadata object) {
    return switch (object) {
      case Deployment deployment -> Optional.of(deployment.getSpec().getTemplate());
      case ReplicaSet set -> Optional.of(set.getSpec().getTemplate());
      case DaemonSet set -> Optional.of(set.getSpec().getTemplate());
      case Job job -> Optional.of(job.getSpec().getTemplate());
      case CronJob cron -> Optional.of(cron.getSpec().getJobTemplate().getSpec().getTemplate());
      default -> Optional.empty();
    };
  }

  static @Nullable LabelSelector selector(HasMetadata object) {
    return switch (object) {
      case Deployment deployment -> deployment.getSpec().getSelector();
      case ReplicaSet set -> set.getSpec().getSelector();
      case DaemonSet set -> set.getSpec().getSelector();
      default -> null;
    };
  }

  static String number(@Nullable Integer value) {
    return value == null ? "0" : value.toString();
  }

  private static <T> T or(@Nullable T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static String jobStatus(Job job) {
    for (String type : List.of("Complete", "Failed", "Suspended", "FailureTarget")) {
      boolean is =
          or(job.getStatus(), new JobStatus()).getConditions().stream()
              .anyMatch(c -> type.equals(c.getType()) && "True".equals(c.getStatus()));
      if (is) {
        return type;
      }
    }
    return "Running";
  }

  static String completions(Job job) {
    String done = number(or(job.getStatus(), new JobStatus()).getSucceeded());
    Integer wanted = job.getSpec().getCompletions();
    int parallel = job.getSpec().getParallelism();
    return wanted != null
        ? done + "/" + wanted
        : parallel > 1 ? done + "/1 of " + parallel : done + "/1";
  }

  private static String duration(Job job, Instant now) {
    JobStatus status = or(job.getStatus(), new JobStatus());
    if (status.getStartTime() == null) {
      return "";
    }
    Instant end =
        status.getCompletionTime() == null ? now : Instant.parse(status.getCompletionTime());
    return age(Duration.between(Instant.parse(status.getStartTime()), end));
  }

  /// A span of time for people: `42s`, `5m`, `3h`, `2d`.
  static String age(Duration span) {
    long seconds = Math.max(0, span.toSeconds());
    if (seconds < 120) {
      return seconds + "s";
    }
    return seconds < 7200
        ? seconds / 60 + "m"
        : seconds < 172_800 ? seconds / 3600 + "h" : seconds / 86_400 + "d";
  }
}
