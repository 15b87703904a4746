package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.workload.Workloads;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Workloads over a runtime of maps.
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class WorkloadsTest extends FleetCase {
  private volatile Duration ahead = Duration.ZERO;
  private Workloads workloads;

  @Override
  void startFleet() {
    super.startFleet();
    workloads = new Workloads(fleet, config, () -> Instant.now().plus(ahead));
    workloads.start();
  }

  @AfterEach
  void stopWorkloads() {
    workloads.close();
  }

  private static String deployment(String image, String more) {
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
          containers:
          - name: a
            image: '%s'
            readinessProbe: {exec: {command: [ready]}, periodSeconds: 1}
    """
        .formatted(more, image);
  }

  private static String job(String more) {
    return """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: work}
    spec:
      %s
      template:
        metadata: {labels: {app: work}}
        spec: {restartPolicy: Never, containers: [{name: a, image: 'img:1'}]}
    """
        .formatted(more);
  }

  private <T extends HasMetadata> T object(ObjectKind kind, String name, Class<T> type) {
    return fleet.objects().get(new ObjectKey(kind, "default", name)).map(type::cast).orElseThrow();
  }

  private Deployment web() {
    return object(ObjectKind.DEPLOYMENT, "web", Deployment.class);
  }

  private Job work() {
    return object(ObjectKind.JOB, "work", Job.class);
  }

  private List<Pod> pods() {
    return fleet.board().list().entries().stream().map(PodBoard.Entry::pod).toList();
  }

  private static boolean isReady(Pod pod) {
    return pod.getStatus().getConditions().stream()
        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }

  private void awaitAvailable(int count) {
    await()
        .until(
            () -> {
              var status = web().getStatus();
              return status != null
                  && status.getUpdatedReplicas() == count
                  && status.getReplicas() == count
                  && status.getAvailableReplicas() == count;
            });
  }

  private List<String> images() {
    return pods().stream()
        .map(pod -> pod.getSpec().getContainers().getFirst().getImage())
        .distinct()
        .toList();
  }

  private Optional<DeploymentCondition> progress() {
    return web().getStatus() == null
        ? Optional.empty()
        : web().getStatus().getConditions().stream()
            .filter(c -> c.getType().equals("Progressing"))
            .findFirst();
  }

  private boolean jobIs(String condition) {
    return work().getStatus() != null
        && work().getStatus().getConditions().stream()
            .anyMatch(c -> c.getType().equals(condition) && c.getStatus().equals("True"));
  }

  @Test
  void aDeploymentKeepsItsPods() throws Exception {
    assertThat(apply(deployment("img:1", "replicas: 3"))).isEqualTo(Fleet.Result.CREATED);
    awaitAvailable(3);
    ReplicaSet set =
        (ReplicaSet)
            fleet.objects().list().stream()
                .filter(ReplicaSet.class::isInstance)
                .findFirst()
                .orElseThrow();
    for (Pod pod : pods()) {
      String hash = pod.getMetadata().getLabels().get("pod-template-hash");
      assertThat(pod.getMetadata().getName()).matches("web-" + hash + "-[a-z0-9]{5}");
      assertThat(pod.getMetadata().getOwnerReferences().getFirst().getUid())
          .isEqualTo(set.getMetadata().getUid());
    }
    assertThat(progress().orElseThrow().getReason()).isEqualTo("NewReplicaSetAvailable");
    assertThat(apply(deployment("img:1", "replicas: 3"))).isEqualTo(Fleet.Result.UNCHANGED);
    // One that goes is made anew.
    PodKey gone = PodKey.of(pods().getFirst());
    fleet.delete(gone, Optional.of(0L));
    await().until(() -> fleet.board().get(gone).isEmpty());
    awaitAvailable(3);
    Set<String> names =
        pods().stream().map(p -> p.getMetadata().getName()).collect(Collectors.toSet());
    assertThat(apply(deployment("img:1", "replicas: 1"))).isEqualTo(Fleet.Result.CONFIGURED);
    await().until(() -> pods().size() == 1);
    assertThat(names).contains(pods().getFirst().getMetadata().getName());
    fleet.deleteObject(ObjectKey.of(web()));
    await().until(() -> pods().isEmpty() && fleet.objects().list().isEmpty());
    await().until(runtime::isEmpty);
  }

  /// Watches all pods and notes how many were ready at worst, and how many there were at most.
  private final class Watcher implements AutoCloseable {
    final List<Integer> ready = new ArrayList<>();
    final List<Integer> present = new ArrayList<>();
    final Set<String> together = new HashSet<>();
    private volatile boolean over;
    private final Thread thread = Thread.ofVirtual().start(this::watch);

    private void watch() {
      long revision = fleet.board().revision();
      try {
        while (!over) {
          List<Pod> now = pods();
          ready.add((int) now.stream().filter(WorkloadsTest::isReady).count());
          present.add(
              (int)
                  now.stream().filter(p -> p.getMetadata().getDeletionTimestamp() == null).count());
          if (images().size() > 1) {
            together.addAll(images());
          }
          fleet.board().await(revision, 100);
          revision = fleet.board().revision();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() throws InterruptedException {
      over = true;
      thread.join();
    }
  }

  @Test
  void aRollingUpdateHasNeverTooFewReady() throws Exception {
    runtime.addImage("img:2");
    String limits = "replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";
    apply(deployment("img:1", limits));
    awaitAvailable(3);
    try (Watcher watcher = new Watcher()) {
      apply(deployment("img:2", limits));
      await().until(() -> images().equals(List.of("img:2")));
      awaitAvailable(3);
      watcher.close();
      assertThat(watcher.ready).allMatch(count -> count >= 3);
      // Told to go and not seen to go yet.
      assertThat(watcher.present).allMatch(count -> count <= 5);
    }
    List<ReplicaSet> sets =
        fleet.objects().list().stream()
            .filter(ReplicaSet.class::isInstance)
            .map(ReplicaSet.class::cast)
            .toList();
    assertThat(sets).hasSize(2);
    // The first template again: its set has its turn anew.
    apply(deployment("img:1", limits));
    await().until(() -> images().equals(List.of("img:1")));
    awaitAvailable(3);
    assertThat(fleet.objects().list().stream().filter(ReplicaSet.class::isInstance)).hasSize(2);
  }

  @Test
  void aRolloutThatIsNotReadyStops() throws Exception {
    runtime.addImage("img:2");
    String limits = "replicas: 2\n  progressDeadlineSeconds: 2";
    apply(deployment("img:1", limits));
    awaitAvailable(2);
    Set<String> good =
        pods().stream().map(p -> p.getMetadata().getUid()).collect(Collectors.toSet());
    runtime.exec = request -> 1;
    // Those that are there stay ready until their probe has failed three times: that is later.
    apply(deployment("img:2", limits));
    await().until(() -> pods().size() == 3);
    await().until(() -> progress().orElseThrow().getReason().equals("ProgressDeadlineExceeded"));
    assertThat(pods().stream().map(p -> p.getMetadata().getUid())).containsAll(good);
    runtime.exec = request -> 0;
    awaitAvailable(2);
    assertThat(progress().orElseThrow().getReason()).isEqualTo("NewReplicaSetAvailable");
  }

  @Test
  void recreateHasNoTwoTemplatesAtOnce() throws Exception {
    runtime.addImage("img:2");
    apply(deployment("img:1", "replicas: 2\n  strategy: {type: Recreate}"));
    awaitAvailable(2);
    try (Watcher watcher = new Watcher()) {
      apply(deployment("img:2", "replicas: 2\n  strategy: {type: Recreate}"));
      await().until(() -> images().equals(List.of("img:2")));
      awaitAvailable(2);
      watcher.close();
      assertThat(watcher.together).isEmpty();
    }
  }

  @Test
  void aNewDaemonGoesOnWithARollout() throws Exception {
    runtime.addImage("img:2");
    apply(deployment("img:1", "replicas: 3"));
    awaitAvailable(3);
    Set<String> before =
        pods().stream().map(p -> p.getMetadata().getUid()).collect(Collectors.toSet());
    runtime.exec = request -> 1;
    apply(deployment("img:2", "replicas: 3"));
    await().until(() -> pods().size() == 4);
    workloads.close();
    fleet.close();
    startFleet();
    runtime.exec = request -> 0;
    awaitAvailable(3);
    assertThat(images()).containsExactly("img:2");
    assertThat(pods().stream().map(p -> p.getMetadata().getUid()))
        .doesNotContainAnyElementsOf(before);
  }

  @Test
  void aSelectorIsImmutable() throws Exception {
    apply(deployment("img:1", "replicas: 1"));
    awaitAvailable(1);
    String other = deployment("img:1", "replicas: 1").replace("app: web", "app: other");
    assertThatThrownBy(() -> apply(other))
        .hasMessageContaining(
            "The Deployment \"web\" is invalid: spec.selector: Invalid value:"
                + " {\"matchLabels\":{\"app\":\"other\"}}: field is immutable");
    assertThat(fleet.apply(read(other), true, false).getFirst().result())
        .isEqualTo(Fleet.Result.REPLACED);
    await()
        .until(
            () ->
                pods().stream()
                    .allMatch(p -> "other".equals(p.getMetadata().getLabels().get("app"))));
    awaitAvailable(1);
  }

  @Test
  void aDaemonSetHasOnePod() throws Exception {
    runtime.addImage("img:2");
    String text =
        """
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {name: agent}
        spec:
          selector: {matchLabels: {app: agent}}
          updateStrategy: {type: %s}
          template:
            metadata: {labels: {app: agent}}
            spec: {containers: [{name: a, image: '%s'}]}
        """;
    apply(text.formatted("RollingUpdate", "img:1"));
    await().until(() -> pods().size() == 1 && isReady(pods().getFirst()));
    apply(text.formatted("RollingUpdate", "img:2"));
    await().until(() -> images().equals(List.of("img:2")) && isReady(pods().getFirst()));
    assertThat(pods()).hasSize(1);
    apply(text.formatted("OnDelete", "img:1"));
    await()
        .until(
            () ->
                object(ObjectKind.DAEMON_SET, "agent", DaemonSet.class)
                        .getStatus()
                        .getUpdatedNumberScheduled()
                    == 0);
    assertThat(images()).containsExactly("img:2");
    fleet.delete(PodKey.of(pods().getFirst()), Optional.of(0L));
    await().until(() -> images().equals(List.of("img:1")) && isReady(pods().getFirst()));
  }

  @Test
  void aJobRunsUntilEnoughHaveSucceeded() throws Exception {
    apply(job("completions: 5\n  parallelism: 2"));
    Set<Integer> running = ConcurrentHashMap.newKeySet();
    await()
        .until(
            () -> {
              running.add(runtime.running("a"));
              runtime.exitAll("a", 0);
              return jobIs("Complete");
            });
    assertThat(work().getStatus().getSucceeded()).isEqualTo(5);
    assertThat(work().getStatus().getCompletionTime()).isNotNull();
    assertThat(running).allMatch(count -> count <= 2);
    assertThat(pods()).hasSize(5);
    fleet.deleteObject(ObjectKey.of(work()));
    await().until(() -> pods().isEmpty());
  }

  @Test
  void aJobGivesUp() throws Exception {
    apply(job("backoffLimit: 2"));
    await()
        .until(
            () -> {
              runtime.exitAll("a", 3);
              return jobIs("Failed");
            });
    assertThat(work().getStatus().getFailed()).isEqualTo(3);
    assertThat(pods()).hasSize(3);
    assertThat(work().getStatus().getConditions())
        .extracting(JobCondition::getReason)
        .containsOnly("BackoffLimitExceeded");
  }

  @Test
  void anIndexedJobHasEachIndexOnce() throws Exception {
    apply(job("completionMode: Indexed\n  completions: 3\n  parallelism: 3"));
    await().until(() -> runtime.running("a") == 3);
    assertThat(pods().stream().map(pod -> pod.getSpec().getHostname()))
        .containsExactlyInAnyOrder("work-0", "work-1", "work-2");
    for (Pod pod : pods()) {
      String index = pod.getMetadata().getLabels().get("batch.kubernetes.io/job-completion-index");
      assertThat(pod.getMetadata().getName()).startsWith("work-" + index + "-");
    }
    assertThat(runtime.config("a").getEnvsList())
        .anyMatch(e -> e.getKey().equals("JOB_COMPLETION_INDEX") && !e.getValue().isEmpty());
    runtime.exit("a", 0);
    await().until(() -> work().getStatus().getSucceeded() != null);
    assertThat(work().getStatus().getCompletedIndexes()).hasSize(1);
    runtime.exitAll("a", 0);
    await().until(() -> jobIs("Complete"));
    assertThat(work().getStatus().getCompletedIndexes()).isEqualTo("0-2");
    assertThat(pods()).hasSize(3);
  }

  @Test
  void countsOnceAcrossDaemons() throws Exception {
    apply(job("completions: 3\n  parallelism: 1\n  ttlSecondsAfterFinished: 1"));
    await().until(() -> runtime.running("a") == 1);
    runtime.exitAll("a", 0);
    await().until(() -> runtime.running("a") == 1);
    assertThat(work().getStatus().getSucceeded()).isEqualTo(1);
    workloads.close();
    fleet.close();
    // It ends while nobody looks.
    runtime.exitAll("a", 0);
    startFleet();
    await().until(() -> work().getStatus().getSucceeded() == 2);
    PodKey done =
        PodKey.of(
            pods().stream()
                .filter(p -> p.getStatus().getPhase().equals("Succeeded"))
                .findFirst()
                .orElseThrow());
    fleet.delete(done, Optional.of(0L));
    await().until(() -> fleet.board().get(done).isEmpty());
    await().until(() -> runtime.running("a") == 1);
    assertThat(work().getStatus().getSucceeded()).isEqualTo(2);
    runtime.exitAll("a", 0);
    // And then it goes by itself.
    await().until(() -> fleet.objects().list().isEmpty() && pods().isEmpty());
  }

  @Test
  void aSuspendedJobHasNoPods() throws Exception {
    apply(job("suspend: true"));
    await().until(() -> jobIs("Suspended"));
    assertThat(pods()).isEmpty();
    apply(job("suspend: false"));
    await().until(() -> runtime.running("a") == 1);
    apply(job("suspend: true"));
    await().until(() -> pods().isEmpty());
    assertThat(work().getStatus().getFailed()).isNull();
    apply(job("suspend: false\n  activeDeadlineSeconds: 1"));
    await().until(() -> jobIs("Failed"));
    assertThat(work().getStatus().getConditions())
        .extracting(JobCondition::getReason)
        .contains("DeadlineExceeded");
    assertThat(pods()).isEmpty();
  }

  @Test
  void aClockThatIsPutForwardMakesOneJob() throws Exception {
    String cron =
        """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: tick}
        spec:
          schedule: '0 */2 1 1 *'
          timeZone: Etc/UTC
          concurrencyPolicy: %s
          jobTemplate:
            spec:
              template:
                spec: {restartPolicy: Never, containers: [{name: a, image: 'img:1'}]}
        """;
    apply(cron.formatted("Forbid"));
    ahead = Duration.ofDays(366);
    poke();
    await().until(() -> runtime.running("a") == 1);
    assertThat(jobs()).hasSize(1);
    CronJob tick = object(ObjectKind.CRON_JOB, "tick", CronJob.class);
    assertThat(tick.getStatus().getLastScheduleTime()).endsWith("-01-01T22:00:00Z");
    // The next one has to wait for this one.
    ahead = Duration.ofDays(2 * 366);
    poke();
    ahead = Duration.ofDays(3 * 366);
    poke();
    assertThat(jobs()).hasSize(1);
    assertThat(events("CronJob"))
        .containsOnlyOnce(
            "JobAlreadyActive Not starting job because prior execution is running and concurrency"
                + " policy is Forbid");
    runtime.exitAll("a", 0);
    await().until(() -> jobs().size() == 2);
    // Back again: nothing until that time has come once more.
    ahead = Duration.ZERO;
    runtime.exitAll("a", 0);
    poke();
    assertThat(jobs()).hasSize(2);
  }

  @Test
  void aCronJobTellsWhatItMisses() throws Exception {
    String cron =
        """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: tick}
        spec:
          schedule: '%s'
          timeZone: Etc/UTC
          startingDeadlineSeconds: %d
          jobTemplate:
            spec:
              template:
                spec: {restartPolicy: Never, containers: [{name: a, image: 'img:1'}]}
        """;
    apply(cron.formatted("0 22 1 1 *", 1));
    ahead = Duration.ofDays(366);
    poke();
    poke();
    assertThat(events("CronJob"))
        .singleElement()
        .asString()
        .startsWith("MissSchedule Missed scheduled time to start a job: ")
        .contains(" 01 Jan ")
        .endsWith(" 22:00:00 +0000");
    assertThat(jobs()).isEmpty();
    // More than a hundred of them, the last one less than a day ago.
    apply(cron.formatted("0 * * * *", Duration.ofDays(30).toSeconds()));
    await().until(() -> runtime.running("a") == 1);
    assertThat(jobs()).hasSize(1);
    assertThat(events("CronJob"))
        .contains(
            "TooManyMissedTimes too many missed start times. Set or decrease"
                + " .spec.startingDeadlineSeconds or check clock skew");
    await().until(() -> activeJobs() == 1);
    fleet.deleteObject(ObjectKey.of(jobs().getFirst()));
    await()
        .untilAsserted(
            () ->
                assertThat(events("CronJob"))
                    .anyMatch(event -> event.startsWith("MissingJob Active job went missing: ")));
  }

  private List<String> events(String kind) {
    return fleet.events().after(0, event -> event.subject().kind().equals(kind)).stream()
        .map(event -> event.reason() + " " + event.message())
        .toList();
  }

  private int activeJobs() {
    return object(ObjectKind.CRON_JOB, "tick", CronJob.class).getStatus().getActive().size();
  }

  private List<HasMetadata> jobs() {
    return fleet.objects().list().stream().filter(Job.class::isInstance).toList();
  }

  /// Has the controllers look, and waits until they have.
  private void poke() throws InterruptedException {
    String name = "poke" + System.nanoTime();
    apply(job("completions: 0").replace("name: work", "name: " + name));
    await().until(() -> object(ObjectKind.JOB, name, Job.class).getStatus() != null);
    fleet.deleteObject(new ObjectKey(ObjectKind.JOB, "default", name));
  }
}
