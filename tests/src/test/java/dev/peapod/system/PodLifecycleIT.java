package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.PodSummary;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// How pods live, restart and end.
class PodLifecycleIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private PodSummary awaitPod(String name, Predicate<PodSummary> condition) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> peapod.pod(name).orElseThrow(), condition::test);
  }

  private static ContainerSummary container(PodSummary pod, String name) {
    return pod.getContainersList().stream()
        .filter(c -> c.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private Set<Integer> pids(String command) {
    return PodProcesses.of(peapod, command).stream()
        .map(PodProcesses.Found::pid)
        .collect(Collectors.toSet());
  }

  @Test
  void aCrashedContainerComesBackAndItsNeighbourStays() {
    peapod.apply(
        Manifests.pod(
            "crash",
            "",
            Manifests.container("steady", "exec sleep 100001", ""),
            Manifests.container("shaky", "exec sleep 100002", "")));
    peapod.awaitReady("crash");
    Set<Integer> neighbour = pids("sleep 100001");
    PodProcesses.await(peapod, "sleep 100002", 1).getFirst().kill();
    PodSummary pod =
        awaitPod(
            "crash",
            p -> container(p, "shaky").getRestarts() == 1 && container(p, "shaky").getReady());
    assertThat(container(pod, "steady").getRestarts()).isZero();
    assertThat(pids("sleep 100001")).as("the neighbour's process").isEqualTo(neighbour);
    assertThat(pids("sleep 100002")).hasSize(1);
    peapod.delete("crash");
  }

  @Test
  void anUnhealthyContainerIsRestartedAndItsNeighbourStays() {
    String probe =
        """
        livenessProbe:
          exec:
            command: ["test", "-e", "/tmp/healthy"]
          periodSeconds: 1
          failureThreshold: 2
        """;
    peapod.apply(
        Manifests.pod(
            "probed",
            "",
            Manifests.container("steady", "exec sleep 100003", ""),
            // Sick after its first seconds, healthy ever after.
            Manifests.container("sick", "touch /tmp/healthy; exec sleep 100004", probe)));
    peapod.awaitReady("probed");
    Set<Integer> neighbour = pids("sleep 100003");
    peapod.client("exec", "probed", "-c", "sick", "--", "rm", "/tmp/healthy").ok();
    PodSummary pod =
        awaitPod(
            "probed",
            p -> container(p, "sick").getRestarts() == 1 && container(p, "sick").getReady());
    assertThat(container(pod, "steady").getRestarts()).isZero();
    assertThat(pids("sleep 100003")).as("the neighbour's process").isEqualTo(neighbour);
    assertThat(peapod.client("describe", "pod", "probed").ok())
        .contains("Unhealthy")
        .contains("Liveness probe failed");
    peapod.delete("probed");
  }

  @Test
  void aFailingTcpProbeRestarts() {
    String probe =
        """
        livenessProbe:
          tcpSocket:
            port: 9
          periodSeconds: 1
          failureThreshold: 1
        """;
    peapod.apply(
        Manifests.pod("tcp", "", Manifests.container("main", "exec sleep 100005", probe)));
    awaitPod("tcp", p -> p.getRestarts() >= 1);
    peapod.delete("tcp");
  }

  @Test
  void anHttpProbeKeepsAHealthyContainer() {
    String probe =
        """
        livenessProbe:
          httpGet:
            path: /
            port: 8000
          periodSeconds: 1
          failureThreshold: 30
        readinessProbe:
          httpGet:
            path: /
            port: 8000
          periodSeconds: 1
        """;
    peapod.apply(
        Manifests.pod(
            "http",
            "",
            Manifests.container(
                "main", "mkdir /www; echo ok >/www/index.html; exec httpd -f -p 8000 -h /www", probe)));
    PodSummary pod = peapod.awaitReady("http");
    assertThat(pod.getRestarts()).isZero();
    peapod.delete("http");
  }

  @Test
  void neverMeansNever() {
    peapod.apply(
        Manifests.pod(
            "once",
            "restartPolicy: Never\n",
            Manifests.container("good", "echo done", ""),
            Manifests.container("bad", "exit 3", "")));
    PodSummary pod = awaitPod("once", p -> p.getPhase().equals("Failed"));
    assertThat(pod.getRestarts()).isZero();
    String json = peapod.client("get", "pod", "once", "-o", "json").ok();
    assertThat(json.replaceAll("\\s", "")).contains("\"exitCode\":3").contains("\"exitCode\":0");
    assertThat(peapod.client("logs", "once", "-c", "good").ok()).isEqualTo("done\n");
    peapod.delete("once");
  }

  @Test
  void onFailureRestartsFailuresOnly() {
    peapod.apply(
        Manifests.pod(
            "retry",
            """
            restartPolicy: OnFailure
            volumes:
              - name: memory
                emptyDir: {}
            """,
            Manifests.container(
                "second-time-lucky",
                "test -e /memory/tried && exit 0; touch /memory/tried; exit 1",
                """
                volumeMounts:
                  - name: memory
                    mountPath: /memory
                """)));
    PodSummary pod = awaitPod("retry", p -> p.getPhase().equals("Succeeded"));
    assertThat(pod.getRestarts()).isEqualTo(1);
    peapod.delete("retry");
  }

  @Test
  void aCrashLoopBacksOff() {
    peapod.apply(Manifests.pod("loop", "", Manifests.container("main", "exit 1", "")));
    awaitPod("loop", p -> p.getStatus().equals("CrashLoopBackOff"));
    assertThat(peapod.client("describe", "pod", "loop").ok()).contains("BackOff");
    peapod.delete("loop");
  }

  @Test
  void deletingLetsContainersEndInTheirTime() {
    peapod.apply(
        Manifests.pod(
            "patient",
            "",
            Manifests.container(
                "main", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done", "")));
    peapod.awaitReady("patient");
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.client("logs", "patient").ok().equals("up\n"));
    // A following reader sees the last words.
    Follower reader = new Follower(peapod, "up\n", "logs", "-f", "patient");
    peapod.delete("patient");
    assertThat(reader.output()).isEqualTo("up\nbye\n");
  }

  @Test
  void manyDocumentsAtOnce() {
    String both = Manifests.sleeper("first") + "---\n" + Manifests.sleeper("second");
    peapod.apply(both);
    peapod.awaitReady("first");
    peapod.awaitReady("second");
    String table = peapod.client("get", "pods").ok();
    assertThat(table.lines().toList()).hasSize(3);
    assertThat(table).contains("NAME").contains("first").contains("second").contains("Running");
    // The same again changes nothing.
    List<PodProcesses.Found> before = PodProcesses.of(peapod);
    assertThat(peapod.clientWith(both, "apply", "-f", "-").ok()).contains("unchanged");
    assertThat(PodProcesses.of(peapod)).isEqualTo(before);
    peapod.clientWith(both, "delete", "-f", "-").ok();
    assertThat(peapod.pod("first")).isEmpty();
    assertThat(peapod.pod("second")).isEmpty();
  }
}
