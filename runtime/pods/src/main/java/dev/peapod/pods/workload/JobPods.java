package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What a job's pods are made of: its template, with the job's name and, of an indexed one, the
/// index as label, annotation, host name and environment.
final class JobPods {
  private static final String VARIABLE = "JOB_COMPLETION_INDEX";
  private static final String FAILURES = "batch.kubernetes.io/job-index-failure-count";

  private JobPods() {}

  static String name(Job job, int index) {
    String base = job.getMetadata().getName() + "-";
    return Naming.random(index < 0 ? base : base + index + "-");
  }

  /// @param index -1 for a job without indexes
  /// @param failures of the index so far
  static ObjectMeta metadata(Job job, int index, int failures) {
    String name = job.getMetadata().getName();
    String uid = job.getMetadata().getUid();
    ObjectMetaBuilder metadata =
        new ObjectMetaBuilder(job.getSpec().getTemplate().getMetadata())
            .addToLabels("batch.kubernetes.io/job-name", label(name))
            .addToLabels("batch.kubernetes.io/controller-uid", uid)
            .addToLabels("job-name", label(name))
            .addToLabels("controller-uid", uid);
    if (index >= 0) {
      metadata.addToLabels(JobTally.INDEX, Integer.toString(index));
      metadata.addToAnnotations(JobTally.INDEX, Integer.toString(index));
    }
    if (JobTally.isLimitedByIndex(job)) {
      metadata.addToAnnotations(FAILURES, Integer.toString(failures));
    }
    return metadata.build();
  }

  /// A label is shorter than a name may be.
  private static String label(String name) {
    return name.substring(0, Math.min(63, name.length()));
  }

  static PodSpec spec(Job job, int index) {
    PodTemplateSpec template = job.getSpec().getTemplate();
    if (index < 0) {
      return template.getSpec();
    }
    PodSpec spec = new PodSpecBuilder(template.getSpec()).build();
    if (spec.getHostname() == null || spec.getHostname().isEmpty()) {
      spec.setHostname(job.getMetadata().getName() + "-" + index);
    }
    Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream())
        .forEach(JobPods::giveIndex);
    return spec;
  }

  private static void giveIndex(Container container) {
    if (container.getEnv().stream().anyMatch(variable -> VARIABLE.equals(variable.getName()))) {
      return;
    }
    List<EnvVar> environment = new ArrayList<>(container.getEnv());
    environment.add(
        new EnvVarBuilder()
            .withName(VARIABLE)
            .withNewValueFrom()
            .withNewFieldRef("v1", "metadata.labels['" + JobTally.INDEX + "']")
            .endValueFrom()
            .build());
    container.setEnv(environment);
  }
}
