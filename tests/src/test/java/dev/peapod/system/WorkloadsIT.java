package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Deployments, DaemonSets, Jobs and CronJobs with pods that really run.
class WorkloadsIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  @Override
  protected String[] flags() {
    return new String[] {"--back-off", "200ms", "--back-off-max", "1s"};
  }

  /// Pods that are ready a moment after they have started.
  private static String deployment(String version, String spec) {
    return """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      %s
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: %s
            command: [sh, -c, "sleep 1; touch /tmp/ready; exec sleep 100000"]
            env: [{name: VERSION, value: "%s"}]
            readinessProbe: {exec: {command: [test, -e, /tmp/ready]}, periodSeconds: 1}
    """
        .formatted(spec, Fixtures.BUSYBOX, version);
  }

  private static String job(String name, String spec, String script) {
    return """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: %s}
    spec:
      %s
      template:
        metadata: {labels: {app: %s}}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: %s
            command: [sh, -c, "%s"]
    """
        .formatted(name, spec, name, Fixtures.BUSYBOX, script);
  }

  private List<PodSummary> pods(String label) {
    return peapod
        .pods()
        .list(
            ListPodsRequest.newBuilder()
                .setSelector(PodSelector.newBuilder().setNamespace("default").setLabels(label))
                .build())
        .getPodsList()
        .stream()
        .map(Pod::getSummary)
        .toList();
  }

  private static boolean isReady(PodSummary pod) {
    return pod.getConditionsList().stream()
        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }

  private Set<String> uids(String label) {
    return pods(label).stream().map(PodSummary::getUid).collect(Collectors.toSet());
  }

  @Test
  void aRolloutKeepsEnoughPodsReady() throws InterruptedException {
    String limits = "replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}";
    peapod.apply(deployment("1", limits));
    assertThat(peapod.client("rollout", "status", "deploy/web", "--timeout", "2m").ok())
        .contains("deployment \"web\" successfully rolled out");
    Set<String> before = uids("app=web");
    assertThat(before).hasSize(3);
    assertThat(peapod.client("get", "deploy", "--no-headers").ok())
        .containsPattern("web +3/3 +3 +3 ");
    List<Integer> ready = new ArrayList<>();
    Thread watcher =
        Thread.ofVirtual()
            .start(
                () -> {
                  while (!Thread.interrupted()) {
                    ready.add((int) pods("app=web").stream().filter(WorkloadsIT::isReady).count());
                  }
                });
    peapod.apply(deployment("2", limits));
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              List<PodSummary> now = pods("app=web");
              return now.size() == 3
                  && now.stream().allMatch(p -> isReady(p) && !before.contains(p.getUid()));
            });
    watcher.interrupt();
    watcher.join();
    assertThat(ready).isNotEmpty().allMatch(count -> count >= 2);
    assertThat(
            peapod
                .client(
                    "exec", pods("app=web").getFirst().getName(), "--", "sh", "-c", "echo $VERSION")
                .ok())
        .isEqualTo("2\n");
    // Scaled, restarted, and waited for.
    peapod.client("scale", "deployment/web", "--replicas", "1").ok();
    await().atMost(PATIENCE).until(() -> pods("app=web").size() == 1);
    Set<String> left = uids("app=web");
    peapod.client("rollout", "restart", "deployment/web").ok();
    peapod.client("rollout", "status", "deployment/web", "--timeout", "2m").ok();
    peapod.client("wait", "deployment/web", "--for=condition=Available", "--timeout", "2m").ok();
    await().atMost(PATIENCE).until(() -> pods("app=web").size() == 1);
    assertThat(uids("app=web")).doesNotContainAnyElementsOf(left);
    peapod.client("delete", "deployment", "web").ok();
    assertThat(pods("app=web")).isEmpty();
    assertThat(peapod.client("get", "rs", "-o", "name").ok()).isEmpty();
  }

  @Test
  void aNewDaemonGoesOnWithARollout() {
    peapod.apply(deployment("1", "replicas: 3"));
    peapod.client("rollout", "status", "deploy/web", "--timeout", "2m").ok();
    Set<String> before = uids("app=web");
    peapod.apply(deployment("2", "replicas: 3"));
    await().atMost(PATIENCE).until(() -> pods("app=web").size() > 3);
    peapod.kill();
    peapod.start();
    peapod.client("rollout", "status", "deploy/web", "--timeout", "2m").ok();
    await().atMost(PATIENCE).until(() -> pods("app=web").size() == 3);
    assertThat(uids("app=web")).doesNotContainAnyElementsOf(before);
    // What somebody kills or deletes comes back.
    String victim = pods("app=web").getFirst().getName();
    peapod.client("delete", "pod", victim, "--now").ok();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                pods("app=web").stream().filter(WorkloadsIT::isReady).count() == 3
                    && peapod.pod(victim).isEmpty());
    peapod.client("delete", "deployment", "web").ok();
  }

  @Test
  void aDaemonSetHasOnePod() {
    String text = deployment("1", "").replace("kind: Deployment", "kind: DaemonSet");
    peapod.apply(text);
    peapod.client("rollout", "status", "ds/web", "--timeout", "2m").ok();
    Set<String> before = uids("app=web");
    assertThat(before).hasSize(1);
    peapod.apply(text.replace("\"1\"", "\"2\""));
    peapod.client("rollout", "status", "ds/web", "--timeout", "2m").ok();
    assertThat(uids("app=web")).hasSize(1).doesNotContainAnyElementsOf(before);
    peapod.client("delete", "ds", "web").ok();
  }

  @Test
  void aJobRunsInParallel() {
    peapod.apply(job("many", "completions: 4\n  parallelism: 2", "sleep 1"));
    peapod.client("wait", "job/many", "--for=condition=Complete", "--timeout", "2m").ok();
    assertThat(pods("app=many")).hasSize(4).allMatch(p -> p.getPhase().equals("Succeeded"));
    assertThat(peapod.client("get", "jobs", "--no-headers").ok())
        .containsPattern("many +Complete +4/4 ");
    assertThat(peapod.client("describe", "job", "many").ok())
        .contains("4 Succeeded", "Complete", "True");
    peapod.client("delete", "job", "many").ok();
    assertThat(pods("app=many")).isEmpty();
  }

  @Test
  void aJobThatFailsGivesUp() {
    peapod.apply(job("bad", "backoffLimit: 2", "exit 7"));
    peapod.client("wait", "job/bad", "--for=condition=Failed", "--timeout", "2m").ok();
    assertThat(pods("app=bad")).hasSize(3).allMatch(p -> p.getPhase().equals("Failed"));
    assertThat(peapod.client("get", "job", "bad", "-o", "yaml").ok())
        .contains("reason: BackoffLimitExceeded", "failed: 3");
    peapod.client("delete", "job", "bad").ok();
  }

  @Test
  void anIndexedJobKnowsItsIndexes() {
    String spec = "completionMode: Indexed\n  completions: 3\n  parallelism: 3";
    peapod.apply(job("part", spec, "echo part $JOB_COMPLETION_INDEX on $(hostname)"));
    peapod.client("wait", "job/part", "--for=condition=Complete", "--timeout", "2m").ok();
    List<String> said =
        pods("app=part").stream()
            .map(p -> peapod.client("logs", p.getName()).ok())
            .sorted()
            .toList();
    assertThat(said)
        .containsExactly("part 0 on part-0\n", "part 1 on part-1\n", "part 2 on part-2\n");
    peapod.client("delete", "job", "part").ok();
  }

  @Test
  void aCronJobFires() {
    String text =
        """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: tick}
        spec:
          schedule: "* * * * *"
          timeZone: Etc/UTC
          jobTemplate:
            spec:
              template:
                metadata: {labels: {app: tick}}
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: main, image: %s, command: [echo, tock]}
        """
            .formatted(Fixtures.BUSYBOX);
    peapod.apply(text);
    await()
        .atMost(PATIENCE)
        .until(() -> pods("app=tick").stream().anyMatch(p -> p.getPhase().equals("Succeeded")));
    assertThat(peapod.client("logs", pods("app=tick").getFirst().getName()).ok())
        .isEqualTo("tock\n");
    peapod.apply(text.replace("timeZone", "suspend: true\n  timeZone"));
    assertThat(peapod.client("get", "cj", "--no-headers").ok())
        .containsPattern("tick +\\* \\* \\* \\* \\* +Etc/UTC +True ");
    peapod.client("delete", "cj", "tick").ok();
    assertThat(pods("app=tick")).isEmpty();
    assertThat(peapod.client("get", "jobs", "-o", "name").ok()).isEmpty();
  }

  @Test
  void aDirectoryKeepsWorkloads() throws IOException {
    Files.createDirectories(peapod.manifests());
    Files.writeString(peapod.manifests().resolve(".new"), deployment("1", "replicas: 2"));
    Files.move(
        peapod.manifests().resolve(".new"),
        peapod.manifests().resolve("web.yaml"),
        StandardCopyOption.ATOMIC_MOVE);
    await()
        .atMost(PATIENCE)
        .until(() -> pods("app=web").stream().filter(WorkloadsIT::isReady).count() == 2);
    Files.delete(peapod.manifests().resolve("web.yaml"));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                pods("app=web").isEmpty()
                    && peapod.client("get", "deploy", "-o", "name").ok().isEmpty());
  }

  @Test
  void aRolloutIsTakenBack() {
    peapod.apply(deployment("1", "replicas: 1"));
    peapod.client("rollout", "status", "deployment/web", "--timeout", "2m").ok();
    peapod.apply(deployment("2", "replicas: 1"));
    peapod.client("rollout", "status", "deployment/web", "--timeout", "2m").ok();
    assertThat(peapod.client("rollout", "history", "deployment/web").ok())
        .matches("deployment/web\nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n");
    assertThat(peapod.client("rollout", "undo", "deployment/web").ok())
        .isEqualTo("deployment/web rolled back\n");
    peapod.client("rollout", "status", "deployment/web", "--timeout", "2m").ok();
    await().atMost(PATIENCE).until(() -> pods("app=web").size() == 1);
    assertThat(
            peapod
                .client(
                    "exec", pods("app=web").getFirst().getName(), "--", "sh", "-c", "echo $VERSION")
                .ok())
        .isEqualTo("1\n");
    assertThat(peapod.client("rollout", "undo", "deployment/web", "--to-revision", "3").ok())
        .contains("skipped rollback (current template already matches revision 3)");
    assertThat(peapod.client("rollout", "history", "deployment/web", "--revision", "9").exit())
        .isEqualTo(1);
    peapod.client("delete", "deployment", "web").ok();
  }

  @Test
  void workloadsComeBackAfterAReboot() {
    peapod.apply(deployment("1", "replicas: 2"));
    peapod.apply(job("once", "completions: 1", "exit 0"));
    peapod.apply(job("long", "backoffLimit: 4", "exec sleep 100000"));
    peapod.client("wait", "job/once", "--for=condition=Complete", "--timeout", "2m").ok();
    peapod.client("rollout", "status", "deployment/web", "--timeout", "2m").ok();
    await().atMost(PATIENCE).until(this::longRuns);
    Set<String> before = uids("app=web");
    Set<String> done = uids("app=once");

    // What has just been started is written down by a daemon that is told to end.
    peapod.stop();
    PodProcesses.killAll(peapod);
    peapod.startAfterAReboot();
    await()
        .atMost(PATIENCE)
        .until(() -> pods("app=web").stream().filter(WorkloadsIT::isReady).count() == 2);
    // The same pods run again; what was done is not done again; what was cut off is.
    assertThat(uids("app=web")).isEqualTo(before);
    assertThat(uids("app=once")).isEqualTo(done);
    assertThat(pods("app=once").getFirst().getPhase()).isEqualTo("Succeeded");
    await().atMost(PATIENCE).until(this::longRuns);
    peapod.client("delete", "deployment", "web").ok();
    peapod.client("delete", "job", "once", "long").ok();
    peapod.stop();
    peapod.start();
    warmUp();
  }

  private boolean longRuns() {
    return pods("app=long").stream().anyMatch(pod -> pod.getReadyContainers() == 1);
  }
}
