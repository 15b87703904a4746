package dev.peapod.pods.object;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What workloads have in common, and what of them can not be changed.
final class Specs {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST = 200;

  private Specs() {}

  static Object of(HasMetadata workload) {
    return switch (workload) {
      case Deployment deployment -> deployment.getSpec();
      case ReplicaSet set -> set.getSpec();
      case DaemonSet set -> set.getSpec();
      case Job job -> job.getSpec();
      case CronJob cron -> cron.getSpec();
      default -> throw new IllegalArgumentException(workload.getKind());
    };
  }

  /// Gives a workload the status that another version of it has.
  static void takeStatus(HasMetadata workload, HasMetadata from) {
    switch (workload) {
      case Deployment deployment -> deployment.setStatus(((Deployment) from).getStatus());
      case ReplicaSet set -> set.setStatus(((ReplicaSet) from).getStatus());
      case DaemonSet set -> set.setStatus(((DaemonSet) from).getStatus());
      case Job job -> job.setStatus(((Job) from).getStatus());
      case CronJob cron -> cron.setStatus(((CronJob) from).getStatus());
      default -> throw new IllegalArgumentException(workload.getKind());
    }
  }

  /// Why a workload can not become what is asked for, in Kubernetes' words; nothing if it can.
  static Optional<String> forbidden(HasMetadata present, HasMetadata asked) {
    return switch (present) {
      case Deployment deployment -> {
        DeploymentSpec wanted = ((Deployment) asked).getSpec();
        yield same("spec.selector", deployment.getSpec().getSelector(), wanted.getSelector());
      }
      case ReplicaSet set -> {
        ReplicaSetSpec wanted = ((ReplicaSet) asked).getSpec();
        yield same("spec.selector", set.getSpec().getSelector(), wanted.getSelector());
      }
      case DaemonSet set -> {
        DaemonSetSpec wanted = ((DaemonSet) asked).getSpec();
        yield same("spec.selector", set.getSpec().getSelector(), wanted.getSelector());
      }
      case Job job -> job(job.getSpec(), ((Job) asked).getSpec());
      default -> Optional.empty();
    };
  }

  private static Optional<String> job(JobSpec before, JobSpec wanted) {
    // An indexed job may grow and shrink where all its indexes run at once.
    boolean elastic =
        "Indexed".equals(wanted.getCompletionMode())
            && Objects.equals(wanted.getCompletions(), wanted.getParallelism());
    Optional<String> completions =
        elastic
            ? Optional.empty()
            : same("spec.completions", before.getCompletions(), wanted.getCompletions());
    return completions
        .or(
            () ->
                same("spec.completionMode", before.getCompletionMode(), wanted.getCompletionMode()))
        .or(() -> same("spec.template", before.getTemplate(), wanted.getTemplate()))
        .or(
            () ->
                same(
                    "spec.podFailurePolicy",
                    before.getPodFailurePolicy(),
                    wanted.getPodFailurePolicy()))
        .or(() -> same("spec.successPolicy", before.getSuccessPolicy(), wanted.getSuccessPolicy()))
        .or(
            () ->
                same(
                    "spec.backoffLimitPerIndex",
                    before.getBackoffLimitPerIndex(),
                    wanted.getBackoffLimitPerIndex()));
  }

  private static Optional<String> same(
      String path, @Nullable Object before, @Nullable Object wanted) {
    return Objects.equals(before, wanted)
        ? Optional.empty()
        : Optional.of(path + ": Invalid value: " + shown(wanted) + ": field is immutable");
  }

  private static String shown(@Nullable Object value) {
    try {
      String text = JSON.writeValueAsString(value);
      return text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
