package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.AttachRequest;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ExecRequest;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PortForwardRequest;
import dev.peapod.proto.runtime.v1.ReopenContainerLogRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Exec and attach over WebSocket against the installed daemon; the log's reopening.
@SuppressWarnings("NullAway.Init")
final class StreamingIT extends KubeletTest {
  /// Clients that attach and go. `-Dpeapod.tests.stream.cycles=N` for a longer run, which tells what the daemon holds after
  /// a warm-up of N/4, after half and after all of them.
  private static final int CYCLES = Integer.getInteger("peapod.tests.stream.cycles", 1000);

  private RemoteStreams exec(String container, boolean tty, String... command) {
    String url =
        peapod
            .cri()
            .exec(
                ExecRequest.newBuilder()
                    .setContainerId(container)
                    .addAllCmd(List.of(command))
                    .setStdin(true)
                    .setStdout(true)
                    .setStderr(!tty)
                    .setTty(tty)
                    .build())
            .getUrl();
    return new RemoteStreams(url);
  }

  private RemoteStreams attach(String container) {
    String url =
        peapod
            .cri()
            .attach(
                AttachRequest.newBuilder()
                    .setContainerId(container)
                    .setStdin(true)
                    .setStdout(true)
                    .build())
            .getUrl();
    return new RemoteStreams(url);
  }

  @Test
  void runsACommandWithItsStreams() {
    PodSandboxConfig.Builder config = cri.sandbox("exec");
    CriPods.Started pod = cri.start(config, cri.script("main", "exec sleep 1000"));
    try (RemoteStreams streams =
        exec(pod.container(), false, "sh", "-c", "cat; echo done >&2; exit 7")) {
      streams.type("there and back");
      streams.endInput();
      assertThat(streams.awaitStatus()).contains("\"message\":\"7\"");
      assertThat(streams.stdout()).isEqualTo("there and back");
      assertThat(streams.stderr()).isEqualTo("done\n");
    }
    // More than fits into any buffer on the way.
    try (RemoteStreams streams =
        exec(pod.container(), false, "dd", "if=/dev/zero", "bs=1M", "count=16")) {
      assertThat(streams.awaitStatus()).contains("Success");
      assertThat(streams.stdout()).hasSize(16 << 20);
    }
    try (RemoteStreams streams = exec(pod.container(), false, "no-such-program")) {
      assertThat(streams.awaitStatus()).contains("no-such-program", "not found");
    }
    cri.remove(pod.sandbox());
  }

  @Test
  void givesACommandATerminal() {
    PodSandboxConfig.Builder config = cri.sandbox("exec-tty");
    CriPods.Started pod = cri.start(config, cri.script("main", "exec sleep 1000"));
    try (RemoteStreams streams = exec(pod.container(), true, "sh")) {
      streams.resize(33, 122);
      streams.type("stty size; tty; echo $TERM\n");
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> streams.stdout().contains("33 122\r\n/dev/pts/0\r\nxterm\r\n"));
      streams.type("exit 5\n");
      assertThat(streams.awaitStatus()).contains("\"message\":\"5\"");
    }
    cri.remove(pod.sandbox());
  }

  @Test
  void killsACommandWhoseClientHasGone() {
    PodSandboxConfig.Builder config = cri.sandbox("exec-gone");
    CriPods.Started pod = cri.start(config, cri.script("main", "exec sleep 1000"));
    try (RemoteStreams streams =
        exec(pod.container(), false, "sh", "-c", "sleep 4711 & echo on; wait")) {
      await().until(() -> streams.stdout().equals("on\n"));
    }
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> !Shell.run("ps", "-eo", "args").ok().contains("sleep 4711"));
    assertThat(cri.status(pod.container()).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
    cri.remove(pod.sandbox());
  }

  @Test
  void attachesToTheMainProcess() {
    PodSandboxConfig.Builder config = cri.sandbox("attach");
    CriPods.Started pod =
        cri.start(
            config,
            cri.script("main", "cat; echo the end").setStdin(true).setStdinOnce(true));
    try (RemoteStreams first = attach(pod.container())) {
      first.type("hello\n");
      await().until(() -> first.stdout().equals("hello\n"));
      first.endInput();
      assertThat(first.awaitStatus()).contains("Success");
      assertThat(first.stdout()).isEqualTo("hello\nthe end\n");
    }
    cri.awaitExit(pod.container());
    assertThat(CriPods.texts(pod.log())).containsExactly("hello", "the end");
    assertThatThrownBy(() -> attach(pod.container()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION));
    cri.remove(pod.sandbox());
  }

  @Test
  void attachesToATerminal() {
    PodSandboxConfig.Builder config = cri.sandbox("attach-tty");
    CriPods.Started pod =
        cri.start(config, cri.container("main", "sh").setStdin(true).setTty(true));
    try (RemoteStreams streams = attach(pod.container())) {
      streams.resize(21, 99);
      streams.type("stty size\n");
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> streams.stdout().contains("21 99\r\n"));
    }
    // The shell is still there for the next one.
    try (RemoteStreams streams = attach(pod.container())) {
      streams.type("echo again-$((1+1)); exit 3\n");
      assertThat(streams.awaitStatus()).contains("Success");
      assertThat(streams.stdout()).contains("again-2\r\n");
    }
    assertThat(cri.awaitExit(pod.container()).getExitCode()).isEqualTo(3);
    cri.remove(pod.sandbox());
  }

  @Test
  void attachesSurviveTheDaemonButStreamsDoNot() {
    PodSandboxConfig.Builder config = cri.sandbox("adopted");
    CriPods.Started pod =
        cri.start(config, cri.script("main", "while read l; do echo got $l; done").setStdin(true));
    peapod.kill();
    peapod.start();
    try (RemoteStreams streams = attach(pod.container())) {
      streams.type("one\n");
      await().until(() -> streams.stdout().equals("got one\n"));
    }
    cri.remove(pod.sandbox());
  }

  @Test
  void comesAndGoesWithoutATrace() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("cycles");
    CriPods.Started pod =
        cri.start(config, cri.script("main", "cat").setStdin(true));
    attachAndDrop(pod.container(), CYCLES / 4);
    report(CYCLES / 4);
    long descriptors = count("fd");
    long threads = count("task");
    for (int part = 1; part <= 2; part++) {
      attachAndDrop(pod.container(), CYCLES / 2);
      report(CYCLES / 4 + part * CYCLES / 2);
    }
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(count("fd")).isLessThanOrEqualTo(descriptors + 5));
    assertThat(count("task")).isLessThanOrEqualTo(threads + 5);
    cri.remove(pod.sandbox());
  }

  private void report(int cycles) throws IOException {
    String resident =
        Files.readAllLines(Path.of("/proc/" + peapod.pid() + "/status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    System.out.printf(
        "after %d clients: %d descriptors, %d threads, %s%n",
        cycles, count("fd"), count("task"), resident);
  }

  private void attachAndDrop(String container, int times) {
    for (int i = 0; i < times; i++) {
      attach(container).close();
    }
  }

  /// How many descriptors (`fd`) or threads (`task`) the daemon has.
  private long count(String what) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc/" + peapod.pid(), what))) {
      return entries.count();
    }
  }

  @Test
  void opensTheLogAnew() throws IOException {
    PodSandboxConfig.Builder config = cri.sandbox("rotation");
    CriPods.Started pod =
        cri.start(config, cri.script("main", "while read l; do echo $l; done").setStdin(true));
    Path old = pod.log().resolveSibling("main.log.1");
    try (RemoteStreams streams = attach(pod.container())) {
      streams.type("before\n");
      await().until(() -> CriPods.texts(pod.log()).contains("before"));
      Files.move(pod.log(), old);
      peapod
          .cri()
          .reopenContainerLog(
              ReopenContainerLogRequest.newBuilder().setContainerId(pod.container()).build());
      streams.type("after\n");
      await().until(() -> CriPods.texts(pod.log()).contains("after"));
    }
    assertThat(CriPods.texts(old)).containsExactly("before");
    assertThat(CriPods.texts(pod.log())).containsExactly("after");
    cri.remove(pod.sandbox());
  }

  @Test
  void refusesWhatCanNotBeStreamed() {
    assertThatThrownBy(() -> exec("no-such-container", false, "true"))
        .hasMessageContaining("NOT_FOUND");
    assertThatThrownBy(
            () -> peapod.cri().exec(ExecRequest.newBuilder().setContainerId("c").build()))
        .hasMessageContaining("INVALID_ARGUMENT");
    assertThatThrownBy(
            () ->
                peapod
                    .cri()
                    .portForward(PortForwardRequest.newBuilder().setPodSandboxId("none").build()))
        .hasMessageContaining("NOT_FOUND");
  }
}
