package dev.peapod.pods.manifest;

import static dev.peapod.pods.manifest.Defaults.or;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategy;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.DeploymentStrategy;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetSpec;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDaemonSet;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDeployment;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.JobTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import org.jspecify.annotations.Nullable;

/// Fills in what a workload's manifest leaves out, as the Kubernetes API server does.
final class WorkloadDefaults {
  private final boolean shareProcessNamespace;

  /// @param shareProcessNamespace what a pod's template means that does not say it
  WorkloadDefaults(boolean shareProcessNamespace) {
    this.shareProcessNamespace = shareProcessNamespace;
  }

  void apply(HasMetadata object) {
    switch (object) {
      case Deployment deployment -> {
        deployment.setSpec(or(deployment.getSpec(), new DeploymentSpec()));
        deployment(deployment.getSpec());
      }
      case ReplicaSet set -> {
        set.setSpec(or(set.getSpec(), new ReplicaSetSpec()));
        set.getSpec().setReplicas(or(set.getSpec().getReplicas(), 1));
        set.getSpec().setTemplate(template(set.getSpec().getTemplate()));
      }
      case DaemonSet set -> {
        set.setSpec(or(set.getSpec(), new DaemonSetSpec()));
        daemonSet(set.getSpec());
      }
      case Job job -> {
        job.setSpec(or(job.getSpec(), new JobSpec()));
        job(job.getSpec());
      }
      case CronJob cron -> {
        cron.setSpec(or(cron.getSpec(), new CronJobSpec()));
        cronJob(cron.getSpec());
      }
      default -> throw new IllegalArgumentException(object.getKind());
    }
  }

  private PodTemplateSpec template(@Nullable PodTemplateSpec given) {
    PodTemplateSpec template = or(given, new PodTemplateSpec());
    template.setMetadata(or(template.getMetadata(), new ObjectMeta()));
    template.setSpec(or(template.getSpec(), new PodSpec()));
    Defaults.spec(template.getSpec(), shareProcessNamespace);
    return template;
  }

  private void deployment(DeploymentSpec spec) {
    spec.setReplicas(or(spec.getReplicas(), 1));
    spec.setRevisionHistoryLimit(or(spec.getRevisionHistoryLimit(), 10));
    spec.setProgressDeadlineSeconds(or(spec.getProgressDeadlineSeconds(), 600));
    spec.setTemplate(template(spec.getTemplate()));
    DeploymentStrategy strategy = or(spec.getStrategy(), new DeploymentStrategy());
    strategy.setType(or(strategy.getType(), "RollingUpdate"));
    if (strategy.getType().equals("RollingUpdate")) {
      RollingUpdateDeployment rolling =
          or(strategy.getRollingUpdate(), new RollingUpdateDeployment());
      rolling.setMaxSurge(or(rolling.getMaxSurge(), new IntOrString("25%")));
      rolling.setMaxUnavailable(or(rolling.getMaxUnavailable(), new IntOrString("25%")));
      strategy.setRollingUpdate(rolling);
    }
    spec.setStrategy(strategy);
  }

  private void daemonSet(DaemonSetSpec spec) {
    spec.setTemplate(template(spec.getTemplate()));
    DaemonSetUpdateStrategy strategy = or(spec.getUpdateStrategy(), new DaemonSetUpdateStrategy());
    strategy.setType(or(strategy.getType(), "RollingUpdate"));
    if (strategy.getType().equals("RollingUpdate")) {
      RollingUpdateDaemonSet rolling =
          or(strategy.getRollingUpdate(), new RollingUpdateDaemonSet());
      rolling.setMaxSurge(or(rolling.getMaxSurge(), new IntOrString(0)));
      rolling.setMaxUnavailable(or(rolling.getMaxUnavailable(), new IntOrString(1)));
      strategy.setRollingUpdate(rolling);
    }
    spec.setUpdateStrategy(strategy);
  }

  private void job(JobSpec spec) {
    if (spec.getCompletions() == null && spec.getParallelism() == null) {
      spec.setCompletions(1);
    }
    spec.setParallelism(or(spec.getParallelism(), 1));
    // Where each index has its own limit, the job's is no limit unless it is given.
    spec.setBackoffLimit(
        or(spec.getBackoffLimit(), spec.getBackoffLimitPerIndex() == null ? 6 : Integer.MAX_VALUE));
    spec.setCompletionMode(or(spec.getCompletionMode(), "NonIndexed"));
    spec.setSuspend(or(spec.getSuspend(), false));
    boolean judges = spec.getPodFailurePolicy() != null;
    spec.setPodReplacementPolicy(
        or(spec.getPodReplacementPolicy(), judges ? "Failed" : "TerminatingOrFailed"));
    if (judges) {
      for (PodFailurePolicyRule rule : spec.getPodFailurePolicy().getRules()) {
        rule.getOnPodConditions().forEach(c -> c.setStatus(or(c.getStatus(), "True")));
      }
    }
    spec.setTemplate(template(spec.getTemplate()));
  }

  private void cronJob(CronJobSpec spec) {
    spec.setConcurrencyPolicy(or(spec.getConcurrencyPolicy(), "Allow"));
    spec.setSuspend(or(spec.getSuspend(), false));
    spec.setSuccessfulJobsHistoryLimit(or(spec.getSuccessfulJobsHistoryLimit(), 3));
    spec.setFailedJobsHistoryLimit(or(spec.getFailedJobsHistoryLimit(), 1));
    JobTemplateSpec template = or(spec.getJobTemplate(), new JobTemplateSpec());
    template.setMetadata(or(template.getMetadata(), new ObjectMeta()));
    template.setSpec(or(template.getSpec(), new JobSpec()));
    job(template.getSpec());
    spec.setJobTemplate(template);
  }
}
