package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The daemon dies; the pods do not.
class AdoptionIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void aKilledDaemonLosesNothing() {
    peapod.apply(
        Manifests.pod(
            "counter",
            "",
            Manifests.container("main", "i=0; while :; do echo $i; i=$((i+1)); usleep 5000; done", "")));
    peapod.awaitReady("counter");
    // A shell that has just forked is there twice.
    List<PodProcesses.Found> before =
        await().atMost(PATIENCE).until(this::containers, found -> found.size() == 2);
    await().atMost(PATIENCE).until(() -> count() > 20);
    peapod.kill();
    int atDeath = countOnDisk();
    await().atMost(PATIENCE).until(() -> countOnDisk() > atDeath + 50);
    peapod.start();
    int atReturn = count();
    await().atMost(PATIENCE).until(() -> count() > atReturn + 50);
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(containers()).as("the very same processes").isEqualTo(before));
    PodSummary pod = peapod.pod("counter").orElseThrow();
    assertThat(pod.getRestarts()).isZero();
    assertThat(pod.getPhase()).isEqualTo("Running");
    List<String> lines = peapod.client("logs", "counter").ok().lines().toList();
    assertThat(lines)
        .as("every number, once, in order")
        .isEqualTo(IntStream.range(0, lines.size()).mapToObj(Integer::toString).toList());
    peapod.delete("counter");
  }

  private List<PodProcesses.Found> containers() {
    return PodProcesses.of(peapod).stream()
        .filter(p -> p.command().startsWith("sh -c i=0") || p.isPause())
        .toList();
  }

  private int count() {
    return (int) peapod.client("logs", "counter").ok().lines().count();
  }

  private int countOnDisk() {
    String out =
        Shell.run("sh", "-c", "cat " + peapod.logs() + "/default_counter_*/main/*.log | wc -l").ok();
    return Integer.parseInt(out.strip());
  }

  @Test
  void anExitWhileTheDaemonIsDeadKeepsItsCode() {
    peapod.apply(
        Manifests.pod(
            "mortal",
            "restartPolicy: Never\n",
            Manifests.container("main", "trap 'exit 42' TERM; while :; do usleep 10000; done", "")));
    peapod.awaitReady("mortal");
    PodProcesses.Found main = main();
    peapod.kill();
    Shell.run("kill", "-TERM", Integer.toString(main.pid())).ok();
    awaitGone(main);
    peapod.start();
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("mortal").orElseThrow().getPhase().equals("Failed"));
    assertThat(json("mortal")).contains("\"exitCode\":42");
    peapod.delete("mortal");
  }

  @Test
  void anExitWhileTheDaemonIsDeadIsFollowedByThePolicy() {
    peapod.apply(
        Manifests.pod(
            "phoenix",
            "",
            Manifests.container("main", "trap 'exit 42' TERM; while :; do usleep 10000; done", "")));
    peapod.awaitReady("phoenix");
    PodProcesses.Found main = main();
    peapod.kill();
    Shell.run("kill", "-TERM", Integer.toString(main.pid())).ok();
    awaitGone(main);
    peapod.start();
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              PodSummary pod = peapod.pod("phoenix").orElseThrow();
              return pod.getRestarts() == 1 && pod.getReadyContainers() == 1;
            });
    assertThat(json("phoenix")).contains("\"exitCode\":42");
    peapod.delete("phoenix");
  }

  @Test
  void aHostPortGoesOnWithoutTheDaemon() {
    int port = Registry.freePort();
    peapod.apply(
        Manifests.pod(
            "served",
            "",
            Manifests.container(
                "main",
                "mkdir /www; echo served >/www/index.html; exec httpd -f -p 80 -h /www",
                "ports: [{containerPort: 80, hostPort: %d}]".formatted(port))));
    peapod.awaitReady("served");
    await().atMost(PATIENCE).until(() -> fetch(port).equals("served\n"));
    peapod.kill();
    assertThat(fetch(port)).as("while there is no daemon").isEqualTo("served\n");
    peapod.start();
    assertThat(fetch(port)).as("after its return").isEqualTo("served\n");
    peapod.delete("served");
    assertThat(Shell.run("curl", "-s", "http://127.0.0.1:" + port + "/").exit())
        .as("nobody listens")
        .isEqualTo(7);
  }

  private static String fetch(int port) {
    return Shell.run(
            "curl", "-s", "--noproxy", "*", "--max-time", "5", "http://127.0.0.1:" + port + "/")
        .out();
  }

  @Test
  void aLostMonitorEndsItsContainer() {
    peapod.apply(
        Manifests.pod(
            "orphan", "restartPolicy: Never\n", Manifests.container("main", "exec sleep 100006", "")));
    peapod.awaitReady("orphan");
    PodProcesses.Found main = PodProcesses.await(peapod, "sleep 100006", 1).getFirst();
    Shell.run("kill", "-9", Integer.toString(main.parent())).ok();
    await()
        .atMost(PATIENCE)
        .until(() -> peapod.pod("orphan").orElseThrow().getPhase().equals("Failed"));
    assertThat(json("orphan")).contains("\"exitCode\":255").contains("\"reason\":\"MonitorLost\"");
    assertThat(PodProcesses.of(peapod, "sleep 100006")).isEmpty();
    peapod.delete("orphan");
  }

  @Test
  void aPolitelyStoppedDaemonLeavesPodsRunning() {
    peapod.apply(Manifests.sleeper("stays"));
    peapod.awaitReady("stays");
    List<PodProcesses.Found> before = PodProcesses.of(peapod);
    peapod.stop();
    assertThat(PodProcesses.of(peapod)).isEqualTo(before);
    peapod.start();
    assertThat(peapod.awaitReady("stays").getRestarts()).isZero();
    assertThat(PodProcesses.of(peapod)).isEqualTo(before);
    peapod.delete("stays");
  }

  private PodProcesses.Found main() {
    return PodProcesses.await(peapod, "trap 'exit 42' TERM", 1).getFirst();
  }

  private void awaitGone(PodProcesses.Found process) {
    await()
        .atMost(PATIENCE)
        .until(() -> PodProcesses.of(peapod).stream().noneMatch(p -> p.pid() == process.pid()));
  }

  private String json(String pod) {
    return peapod.client("get", "pod", pod, "-o", "json").ok().replaceAll("\\s", "");
  }
}
