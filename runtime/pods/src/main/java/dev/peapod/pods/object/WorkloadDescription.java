package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A workload at length, as `kubectl describe` lays it out.
final class WorkloadDescription {
  private static final int WIDTH = 14;

  private final StringBuilder out;

  private WorkloadDescription(StringBuilder out) {
    this.out = out;
  }

  /// Writes what follows after labels and annotations.
  static void write(StringBuilder out, HasMetadata object, Instant now) {
    new WorkloadDescription(out).describe(object, now);
  }

  static void write(StringBuilder out, PodTemplateSpec template) {
    new WorkloadDescription(out).template(template);
  }

  private void describe(HasMetadata object, Instant now) {
    line("Created", object.getMetadata().getCreationTimestamp());
    for (OwnerReference owner : object.getMetadata().getOwnerReferences()) {
      line("Controlled By", owner.getKind() + "/" + owner.getName());
    }
    if (WorkloadTable.selector(object) != null) {
      line("Selector", Selectors.text(WorkloadTable.selector(object)));
    }
    switch (object) {
      case Deployment deployment -> deployment(deployment);
      case Job job -> job(job.getSpec(), job.getStatus());
      case CronJob cron -> {
        CronJobSpec spec = cron.getSpec();
        List<String> cells = WorkloadTable.cells(cron, now);
        line("Schedule", spec.getSchedule());
        line("Time Zone", cells.get(1));
        line("Concurrency", spec.getConcurrencyPolicy());
        line("Suspend", cells.get(2));
        line("Active Jobs", cells.get(3));
        line(
            "Last Schedule",
            cron.getStatus() == null ? null : cron.getStatus().getLastScheduleTime());
        job(spec.getJobTemplate().getSpec(), null);
      }
      case ReplicaSet set -> row(set, ObjectKind.REPLICA_SET, now);
      case DaemonSet set -> {
        line("Strategy", set.getSpec().getUpdateStrategy().getType());
        row(set, ObjectKind.DAEMON_SET, now);
      }
      default -> {}
    }
    WorkloadTable.template(object).ifPresent(this::template);
  }

  private void row(HasMetadata object, ObjectKind kind, Instant now) {
    List<String> titles = WorkloadTable.columns(kind);
    List<String> cells = WorkloadTable.cells(object, now);
    for (int i = 0; i < titles.size(); i++) {
      line(
          titles.get(i).charAt(0) + titles.get(i).substring(1).toLowerCase(Locale.ROOT),
          cells.get(i));
    }
  }

  private void deployment(Deployment deployment) {
    DeploymentSpec spec = deployment.getSpec();
    DeploymentStatus status =
        deployment.getStatus() == null ? new DeploymentStatus() : deployment.getStatus();
    line(
        "Replicas",
        spec.getReplicas()
            + " desired | "
            + WorkloadTable.number(status.getUpdatedReplicas())
            + " updated | "
            + WorkloadTable.number(status.getReplicas())
            + " total | "
            + WorkloadTable.number(status.getAvailableReplicas())
            + " available | "
            + WorkloadTable.number(status.getUnavailableReplicas())
            + " unavailable");
    String strategy = spec.getStrategy().getType();
    if (spec.getStrategy().getRollingUpdate() != null) {
      strategy +=
          " ("
              + spec.getStrategy().getRollingUpdate().getMaxUnavailable().getValue()
              + " max unavailable, "
              + spec.getStrategy().getRollingUpdate().getMaxSurge().getValue()
              + " max surge)";
    }
    line("Strategy", strategy);
    conditions();
    status
        .getConditions()
        .forEach(c -> condition(c.getType(), c.getStatus(), c.getReason(), c.getMessage()));
  }

  private void job(JobSpec spec, @Nullable JobStatus status) {
    line("Parallelism", String.valueOf(spec.getParallelism()));
    line("Completions", spec.getCompletions() == null ? "<unset>" : spec.getCompletions() + "");
    line("Mode", spec.getCompletionMode());
    line("Backoff Limit", String.valueOf(spec.getBackoffLimit()));
    line("Backoff Limit Per Index", number(spec.getBackoffLimitPerIndex()));
    line("Max Failed Indexes", number(spec.getMaxFailedIndexes()));
    if (status == null) {
      return;
    }
    line("Start Time", status.getStartTime());
    line("Completed At", status.getCompletionTime());
    line(
        "Pods Statuses",
        WorkloadTable.number(status.getActive())
            + " Active ("
            + WorkloadTable.number(status.getReady())
            + " Ready) / "
            + WorkloadTable.number(status.getSucceeded())
            + " Succeeded / "
            + WorkloadTable.number(status.getFailed())
            + " Failed");
    line("Completed Indexes", status.getCompletedIndexes());
    line("Failed Indexes", status.getFailedIndexes());
    conditions();
    status
        .getConditions()
        .forEach(c -> condition(c.getType(), c.getStatus(), c.getReason(), c.getMessage()));
  }

  private void conditions() {
    out.append("Conditions:\n");
  }

  private void condition(
      String type, String status, @Nullable String reason, @Nullable String message) {
    out.append(String.format("  %-20s %-8s %s", type, status, reason == null ? "" : reason));
    out.append(message == null || message.isEmpty() ? "" : ": " + message).append('\n');
  }

  private void template(PodTemplateSpec template) {
    out.append("Pod Template:\n");
    for (Container container : template.getSpec().getInitContainers()) {
      container(container, "Init Container");
    }
    for (Container container : template.getSpec().getContainers()) {
      container(container, "Container");
    }
  }

  private void container(Container container, String title) {
    out.append("  ").append(title).append(' ').append(container.getName()).append(":\n");
    out.append("    Image:    ").append(container.getImage()).append('\n');
    words("Command", container.getCommand());
    words("Args", container.getArgs());
    words("Env", container.getEnv().stream().map(EnvVar::getName).toList());
    words("Mounts", container.getVolumeMounts().stream().map(VolumeMount::getMountPath).toList());
  }

  private void words(String title, List<String> words) {
    if (!words.isEmpty()) {
      String text = String.join(" ", words).replace('\n', ' ');
      out.append(String.format("    %-9s %s%n", title + ":", text));
    }
  }

  private static @Nullable String number(@Nullable Integer value) {
    return value == null ? null : value.toString();
  }

  private void line(String title, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      out.append(title).append(": ");
      out.repeat(" ", Math.max(0, WIDTH - title.length() - 2)).append(value).append('\n');
    }
  }
}
