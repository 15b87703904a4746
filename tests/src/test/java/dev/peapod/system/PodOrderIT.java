package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.peapod.v1.PodSummary;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// What runs before, beside and after the containers of real pods.
class PodOrderIT extends SystemTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /// A volume in which containers write down what happened, and a reader of it that ends at once.
  private static final String DIARY =
      """
      volumes:
        - name: diary
          emptyDir: {}
      """;

  private static final String MOUNT =
      """
      volumeMounts:
        - name: diary
          mountPath: /diary
      """;

  private PodSummary awaitPod(String name, Predicate<PodSummary> condition) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> peapod.pod(name).orElseThrow(), condition::test);
  }

  private List<String> diary(String pod, String container) {
    return peapod.client("exec", pod, "-c", container, "--", "cat", "/diary/log").ok().lines().toList();
  }

  @Test
  void initContainersSidecarsAndTheRestComeInTheirOrder() {
    String inits =
        "initContainers:\n"
            + Manifests.container("one", "echo one >>/diary/log", MOUNT).indent(2)
            + Manifests.container(
                    "side",
                    "echo side >>/diary/log; touch /diary/up; exec sleep 100011",
                    MOUNT
                        + """
                        restartPolicy: Always
                        startupProbe:
                          exec:
                            command: ["test", "-e", "/diary/up"]
                          periodSeconds: 1
                        """)
                .indent(2)
            + Manifests.container("two", "echo two >>/diary/log", MOUNT).indent(2);
    peapod.apply(
        Manifests.pod(
            "order",
            DIARY + inits,
            Manifests.container("main", "echo main >>/diary/log; exec sleep 100012", MOUNT)));
    PodSummary pod = awaitPod("order", p -> p.getReadyContainers() == 2);
    assertThat(pod.getTotalContainers()).isEqualTo(2);
    assertThat(diary("order", "main")).containsExactly("one", "side", "two", "main");
    peapod.delete("order");
  }

  @Test
  void aSidecarEndsAfterThePodIsDone() {
    String inits =
        "initContainers:\n"
            + Manifests.container("side", "exec sleep 100013", "restartPolicy: Always\n").indent(2);
    peapod.apply(
        Manifests.pod(
            "job", "restartPolicy: Never\n" + inits, Manifests.container("main", "echo done", "")));
    awaitPod("job", p -> p.getPhase().equals("Succeeded"));
    assertThat(PodProcesses.of(peapod, "sleep 100013")).isEmpty();
    peapod.delete("job");
  }

  @Test
  void hooksRunAfterTheStartAndBeforeTheStop() {
    String hooks =
        MOUNT
            + """
            lifecycle:
              postStart:
                exec:
                  command: ["sh", "-c", "echo started >>/diary/log"]
              preStop:
                exec:
                  command: ["sh", "-c", "echo stopping >>/proc/1/fd/1"]
            """;
    peapod.apply(
        Manifests.pod(
            "hooks",
            DIARY + "shareProcessNamespace: false\n",
            Manifests.container(
                "main", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done", hooks)));
    peapod.awaitReady("hooks");
    assertThat(diary("hooks", "main")).containsExactly("started");
    Follower reader = new Follower(peapod, "up\n", "logs", "-f", "hooks");
    peapod.delete("hooks");
    assertThat(reader.output()).isEqualTo("up\nstopping\nbye\n");
  }

  @Test
  void theStopSignalOfTheManifestIsSentAndTheSidecarSeesItsResult() {
    String inits =
        "initContainers:\n"
            + Manifests.container(
                    "side",
                    "trap 'cat /diary/log; exit 0' TERM; echo up; while :; do sleep 0.1; done",
                    MOUNT + "restartPolicy: Always\n")
                .indent(2);
    peapod.apply(
        Manifests.pod(
            "signal",
            DIARY + "os: {name: linux}\n" + inits,
            Manifests.container(
                "main",
                "trap 'echo usr1 >>/diary/log; exit 0' USR1; trap '' TERM; touch /diary/ready;"
                    + " while :; do sleep 0.1; done",
                MOUNT
                    + """
                    lifecycle:
                      stopSignal: SIGUSR1
                    readinessProbe:
                      exec:
                        command: ["test", "-e", "/diary/ready"]
                      periodSeconds: 1
                    """)));
    peapod.awaitReady("signal");
    Follower reader = new Follower(peapod, "up\n", "logs", "-f", "signal", "-c", "side");
    peapod.delete("signal");
    assertThat(reader.output()).isEqualTo("up\nusr1\n");
  }

  @Test
  void aPodThatIsActiveTooLongFails() {
    peapod.apply(
        Manifests.pod(
            "late",
            "activeDeadlineSeconds: 1\n",
            Manifests.container("main", "trap 'exit 0' TERM; while :; do sleep 0.1; done", "")));
    awaitPod("late", p -> p.getPhase().equals("Failed"));
    assertThat(peapod.client("get", "pod", "late", "-o", "json").ok()).contains("DeadlineExceeded");
    peapod.delete("late");
  }

  /// What containers leave as their last words, in the file of the default name, in another, and in the log where the
  /// manifest allows that; and nothing where it does not.
  @Test
  void theMessageOfAnEndIsInTheStatus() {
    peapod.apply(
        Manifests.pod(
            "words",
            "restartPolicy: Never\n",
            Manifests.container("usual", "echo out; echo usual >/dev/termination-log", ""),
            Manifests.container(
                "other", "echo other >/run/last; exit 3", "terminationMessagePath: /run/last\n"),
            Manifests.container(
                "log", "echo one; echo two; exit 4", "terminationMessagePolicy: FallbackToLogsOnError\n"),
            Manifests.container("silent", "echo out; exit 5", "")));
    awaitPod("words", p -> p.getPhase().equals("Failed"));
    assertThat(
            peapod
                .client(
                    "get",
                    "pod",
                    "words",
                    "-o",
                    "jsonpath={range .status.containerStatuses[*]}{.name}={.state.terminated.exitCode}={.state.terminated.message}|{end}")
                .ok()
                .replace("\n|", "|"))
        .isEqualTo("usual=0=usual|other=3=other|log=4=one\ntwo|silent=5=|");
    peapod.delete("words");
  }
}
