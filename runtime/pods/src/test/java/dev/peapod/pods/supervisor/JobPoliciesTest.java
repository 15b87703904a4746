package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.object.ObjectKind;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a Job makes of its pods' failures and successes beyond counting them.
@Timeout(120)
class JobPoliciesTest extends WorkloadCase {
  private void applyJob(String spec) throws InterruptedException {
    apply(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: work}
        spec:
        %s
          template:
            spec: {restartPolicy: Never, containers: [{name: a, image: 'img:1'}]}
        """
            .formatted(spec.indent(2).stripTrailing()));
  }

  private Job work() {
    return object(ObjectKind.JOB, "work", Job.class);
  }

  private Optional<JobCondition> condition(String type) {
    return work().getStatus() == null
        ? Optional.empty()
        : work().getStatus().getConditions().stream()
            .filter(c -> c.getType().equals(type) && c.getStatus().equals("True"))
            .findFirst();
  }

  @Test
  void aFailureMayBeTheWholeJobs() throws Exception {
    applyJob(
        """
        parallelism: 2
        completions: 2
        podFailurePolicy:
          rules:
          - {action: Ignore, onExitCodes: {containerName: a, operator: In, values: [7]}}
          - {action: FailJob, onExitCodes: {operator: NotIn, values: [1, 2]}}
        """);
    assertThat(work().getSpec().getPodReplacementPolicy()).isEqualTo("Failed");
    await().until(() -> runtime.running("a") == 2);
    runtime.exit("a", 42);
    await().until(() -> condition("Failed").isPresent());
    JobCondition end = condition("Failed").orElseThrow();
    assertThat(end.getReason()).isEqualTo("PodFailurePolicy");
    assertThat(end.getMessage())
        .matches(
            "Container a for pod default/work-[a-z0-9]{5} failed with exit code 42 matching FailJob"
                + " rule at index 1");
    assertThat(runtime.running("a")).isZero();
    assertThat(events("Job"))
        .contains("PodFailurePolicy " + end.getMessage())
        .anyMatch(event -> event.startsWith("SuccessfulDelete Deleted pod: work-"));
  }

  @Test
  void aFailureMayCountForNothing() throws Exception {
    applyJob(
        """
        backoffLimit: 0
        podFailurePolicy:
          rules:
          - {action: Ignore, onExitCodes: {operator: In, values: [7]}}
          - {action: Count, onPodConditions: [{type: Ready}]}
        """);
    await().until(() -> runtime.running("a") == 1);
    runtime.exit("a", 7);
    await().until(() -> runtime.running("a") == 1);
    assertThat(pods()).hasSize(2);
    assertThat(work().getStatus().getFailed()).isNull();
    runtime.exit("a", 1);
    await().until(() -> condition("Failed").isPresent());
    assertThat(condition("Failed").orElseThrow().getReason()).isEqualTo("BackoffLimitExceeded");
    assertThat(events("Job"))
        .contains("BackoffLimitExceeded Job has reached the specified backoff limit");
  }

  @Test
  void someSuccessesMayBeEnough() throws Exception {
    applyJob(
        """
        completionMode: Indexed
        parallelism: 3
        completions: 3
        successPolicy:
          rules:
          - {succeededIndexes: '0,2', succeededCount: 2}
          - {succeededIndexes: '1'}
        """);
    await().until(() -> runtime.running("a") == 3);
    runtime.exitAll("a", 0, config -> isOfIndex("1", config));
    await().until(() -> condition("Complete").isPresent());
    JobCondition end = condition("SuccessCriteriaMet").orElseThrow();
    assertThat(end.getReason()).isEqualTo("SuccessPolicy");
    assertThat(end.getMessage()).isEqualTo("Matched rules at index 1");
    assertThat(work().getStatus().getCompletedIndexes()).isEqualTo("1");
    assertThat(work().getStatus().getFailed()).isNull();
    assertThat(events("Job")).endsWith("Completed Job completed");
  }

  @Test
  void anIndexFailsAloneAndTheRestGoOn() throws Exception {
    applyJob(
        """
        completionMode: Indexed
        parallelism: 3
        completions: 3
        backoffLimitPerIndex: 1
        podFailurePolicy:
          rules:
          - {action: FailIndex, onExitCodes: {operator: In, values: [42]}}
        """);
    assertThat(work().getSpec().getBackoffLimit()).isEqualTo(Integer.MAX_VALUE);
    await().until(() -> runtime.running("a") == 3);
    runtime.exitAll("a", 1, config -> isOfIndex("0", config));
    await().until(() -> failuresOf("0").equals(List.of("0", "1")));
    await().until(() -> runtime.running("a") == 3);
    runtime.exitAll("a", 1, config -> isOfIndex("0", config));
    await().until(() -> "0".equals(work().getStatus().getFailedIndexes()));
    runtime.exitAll("a", 42, config -> isOfIndex("2", config));
    await().until(() -> "0,2".equals(work().getStatus().getFailedIndexes()));
    assertThat(runtime.running("a")).isEqualTo(1);
    assertThat(condition("Failed")).isEmpty();
    runtime.exitAll("a", 0);
    await().until(() -> condition("Failed").isPresent());
    assertThat(condition("Failed").orElseThrow().getReason()).isEqualTo("FailedIndexes");
    assertThat(work().getStatus().getCompletedIndexes()).isEqualTo("1");
    assertThat(work().getStatus().getFailed()).isEqualTo(3);
  }

  /// What the pods of an index say of its failures before them.
  private List<String> failuresOf(String index) {
    return pods().stream()
        .map(pod -> pod.getMetadata().getAnnotations())
        .filter(all -> index.equals(all.get("batch.kubernetes.io/job-completion-index")))
        .map(all -> String.valueOf(all.get("batch.kubernetes.io/job-index-failure-count")))
        .sorted()
        .toList();
  }

  @Test
  void tooManyIndexesMayFail() throws Exception {
    applyJob(
        """
        completionMode: Indexed
        parallelism: 2
        completions: 5
        backoffLimitPerIndex: 0
        maxFailedIndexes: 1
        """);
    await().until(() -> runtime.running("a") == 2);
    runtime.exitAll("a", 1, config -> isOfIndex("0", config));
    await().until(() -> runtime.running("a") == 2);
    runtime.exitAll("a", 1, config -> isOfIndex("1", config));
    await().until(() -> condition("Failed").isPresent());
    assertThat(condition("Failed").orElseThrow().getReason()).isEqualTo("MaxFailedIndexesExceeded");
    assertThat(work().getStatus().getFailedIndexes()).isEqualTo("0-1");
    assertThat(runtime.running("a")).isZero();
  }

  private static boolean isOfIndex(String index, ContainerConfig config) {
    return config.getEnvsList().stream()
        .anyMatch(
            env ->
                env.getKey().equals("JOB_COMPLETION_INDEX")
                    && env.getValue().toStringUtf8().equals(index));
  }
}
