package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.CheckpointContainerRequest;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.Signal;
import dev.peapod.proto.runtime.v1.StatusRequest;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import dev.peapod.proto.runtime.v1.VersionRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a kubelet asks for, over CRI: starts, ends, limits, and everything twice.
@SuppressWarnings("NullAway.Init")
class ContainersIT extends KubeletTest {
  private ContainerStatus stopAndAwait(CriPods.Started pod, long seconds) {
    peapod
        .cri()
        .stopContainer(
            StopContainerRequest.newBuilder()
                .setContainerId(pod.container())
                .setTimeout(seconds)
                .build());
    // Over when the call answers, not some time after it.
    ContainerStatus status = cri.status(pod.container());
    assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    return status;
  }

  private static void awaitLine(CriPods.Started pod, String text) {
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(20))
        .ignoreExceptions()
        .until(() -> CriPods.texts(pod.log()).contains(text));
  }

  @Test
  void theStopSignalComesFirst() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("polite"),
            cri.script("main", "trap 'echo going; exit 7' TERM; echo up; while :; do usleep 10000; done"));
    awaitLine(pod, "up");
    ContainerStatus status = stopAndAwait(pod, 30);
    assertThat(status.getExitCode()).isEqualTo(7);
    assertThat(CriPods.texts(pod.log())).containsExactly("up", "going");
    assertThat(status.getFinishedAt()).isGreaterThanOrEqualTo(status.getStartedAt());
    cri.remove(pod.sandbox());
  }

  @Test
  void theStopSignalIsTheConfigurations() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("signalled"),
            cri.script(
                    "main",
                    "trap '' TERM; trap 'exit 8' USR2; echo up; while :; do usleep 10000; done")
                .setStopSignal(Signal.SIGNAL_SIGUSR2));
    awaitLine(pod, "up");
    assertThat(cri.status(pod.container()).getStopSignal()).isEqualTo(Signal.SIGNAL_SIGUSR2);
    assertThat(stopAndAwait(pod, 30).getExitCode()).isEqualTo(8);
    cri.remove(pod.sandbox());
  }

  @Test
  void afterTheGraceTheWholeContainerIsKilled() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("stubborn"),
            cri.script(
                "main",
                "trap '' TERM; for i in 1 2 3; do (setsid sh -c 'sleep 100010 & sleep 100011' &); done; "
                    + "echo up; while :; do usleep 10000; done"));
    awaitLine(pod, "up");
    await().until(() -> PodProcesses.of(peapod, "sleep 10001").size() >= 6);
    ContainerStatus status = stopAndAwait(pod, 1);
    assertThat(status.getExitCode()).isEqualTo(137);
    onlyPauseIsLeft();
    cri.remove(pod.sandbox());
  }

  @Test
  void leftOverProcessesGoWithTheMainOne() {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("leftovers"),
            cri.script(
                "main",
                "(setsid sh -c 'trap \"\" TERM HUP; sleep 100012 & while :; do sleep 1; done' &); "
                    + "echo up; exit 5"));
    assertThat(cri.awaitExit(pod.container()).getExitCode()).isEqualTo(5);
    onlyPauseIsLeft();
    assertThat(CriPods.texts(pod.log())).containsExactly("up");
    cri.remove(pod.sandbox());
  }

  @Test
  void aProgramSeesThreeDescriptors() {
    // The shell looks without opening anything: a listing, or a program just loaded, would show a descriptor of its own.
    CriPods.Started pod =
        cri.start(
            cri.sandbox("descriptors"),
            cri.script(
                "main",
                "for fd in $(seq 0 255); do [ -e /proc/$$/fd/$fd ] && echo $fd; done; "
                    + "grep -E '^(CapInh|Seccomp)' /proc/self/status"));
    cri.awaitExit(pod.container());
    assertThat(CriPods.texts(pod.log())).startsWith("0", "1", "2").element(3).asString().startsWith("CapInh");
    cri.remove(pod.sandbox());
  }

  @Test
  void pauseSeesNothingOfTheHost() throws IOException {
    CriPods.Started pod =
        cri.start(cri.sandbox("walls"), cri.script("main", "ls /proc/1/root /proc/1/fd; sleep 100014"));
    awaitProcess("sleep 100014");
    // As the host sees it: every process of the pod has three descriptors and a root of its own.
    for (PodProcesses.Found process : PodProcesses.of(peapod)) {
      try (var descriptors = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
        assertThat(descriptors.map(p -> p.getFileName().toString()).toList())
            .as("descriptors of %s", process)
            .isSubsetOf("0", "1", "2");
      }
      assertThat(process.namespace("mnt")).isNotEqualTo(new PodProcesses.Found(1, "").namespace("mnt"));
    }
    cri.remove(pod.sandbox());
  }

  private void awaitProcess(String command) {
    await().atMost(Duration.ofSeconds(20)).until(() -> !PodProcesses.of(peapod, command).isEmpty());
  }

  @Test
  void tooMuchMemoryEndsAsOomKilled() {
    ContainerConfig.Builder hog =
        cri.container("main", "awk", "BEGIN { x = \"x\"; while (1) x = x x }");
    hog.getLinuxBuilder()
        .setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(32 << 20));
    CriPods.Started pod = cri.start(cri.sandbox("hungry"), hog);
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    cri.remove(pod.sandbox());
  }

  @Test
  void limitsAreInTheCgroup() {
    ContainerConfig.Builder limited = cri.container("main", "sleep", "100015");
    limited
        .getLinuxBuilder()
        .setResources(
            LinuxContainerResources.newBuilder()
                .setMemoryLimitInBytes(64 << 20)
                .setCpuPeriod(100_000)
                .setCpuQuota(50_000)
                .setCpuShares(512));
    CriPods.Started pod = cri.start(cri.sandbox("limited"), limited);
    int pid = PodProcesses.await(peapod, "sleep 100015", 1).getFirst().pid();
    assertThat(controllerFile(pid, "memory", "memory.limit_in_bytes", "memory.max"))
        .isEqualTo(Integer.toString(64 << 20));
    assertThat(controllerFile(pid, "cpu", "cpu.cfs_quota_us", "cpu.max")).startsWith("50000");
    cri.remove(pod.sandbox());
  }

  /// What a file of the process's own cgroup says, in the hierarchy of a v1 controller or in the unified one.
  private static String controllerFile(int pid, String controller, String v1, String v2) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"))) {
        String[] parts = line.split(":", 3);
        if (List.of(parts[1].split(",", -1)).contains(controller)) {
          return Files.readString(Path.of("/sys/fs/cgroup/" + controller + parts[2], v1)).strip();
        }
      }
      String unified = Files.readString(Path.of("/proc/" + pid + "/cgroup")).strip().substring(3);
      return Files.readString(Path.of("/sys/fs/cgroup" + unified, v2)).strip();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void theLogIsInCriFormat() throws IOException {
    CriPods.Started pod =
        cri.start(
            cri.sandbox("talker"),
            cri.script(
                "main",
                "echo one; echo two >&2; head -c 20000 /dev/zero | tr '\\0' x; echo; printf unfinished"));
    cri.awaitExit(pod.container());
    List<String> lines = Files.readAllLines(pod.log());
    assertThat(lines)
        .allMatch(
            l ->
                l.matches(
                    "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}(Z|[+-]\\d\\d:\\d\\d) (stdout|stderr) [PF] .*"));
    List<String> shapes = lines.stream().map(l -> l.split(" ", 4)[1] + " " + l.split(" ", 4)[2]).toList();
    assertThat(shapes).contains("stderr F", "stdout P", "stdout F");
    String out =
        lines.stream()
            .map(l -> l.split(" ", 4))
            .filter(f -> f[1].equals("stdout"))
            .map(f -> f[3] + (f[2].equals("F") ? "\n" : ""))
            .reduce("", String::concat);
    assertThat(out.strip()).isEqualTo("one\n" + "x".repeat(20000) + "\nunfinished");
    cri.remove(pod.sandbox());
  }

  @Test
  void execRunsBesideTheMainProcess() {
    CriPods.Started pod =
        cri.start(cri.sandbox("exec"), cri.container("main", "sleep", "100016"));
    ExecSyncResponse answer = cri.exec(pod.container(), 10, "sh", "-c", "echo out; echo err >&2; exit 3");
    assertThat(answer.getStdout().toStringUtf8()).isEqualTo("out\n");
    assertThat(answer.getStderr().toStringUtf8()).isEqualTo("err\n");
    assertThat(answer.getExitCode()).isEqualTo(3);
    assertThat(cri.exec(pod.container(), 10, "hostname").getStdout().toStringUtf8()).isEqualTo("exec\n");
    assertCode(Status.Code.DEADLINE_EXCEEDED, () -> cri.exec(pod.container(), 1, "sh", "-c", "sleep 100017 & sleep 100017"));
    await().untilAsserted(() -> assertThat(PodProcesses.of(peapod, "sleep 100017")).isEmpty());
    cri.remove(pod.sandbox());
  }

  @Test
  void everythingMayBeSaidTwice() {
    PodSandboxConfig.Builder config = cri.sandbox("twice");
    CriPods.Started pod = cri.start(config, cri.container("main", "sleep", "100018"));
    for (int i = 0; i < 2; i++) {
      stopAndAwait(pod, 5);
    }
    for (int i = 0; i < 2; i++) {
      peapod
          .cri()
          .removeContainer(
              RemoveContainerRequest.newBuilder().setContainerId(pod.container()).build());
    }
    for (int i = 0; i < 2; i++) {
      peapod
          .cri()
          .stopPodSandbox(
              StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.sandbox()).build());
    }
    assertThat(
            peapod
                .cri()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.sandbox()).build())
                .getStatus()
                .getState())
        .isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
    for (int i = 0; i < 2; i++) {
      peapod
          .cri()
          .removePodSandbox(
              RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod.sandbox()).build());
    }
    assertCode(
        Status.Code.NOT_FOUND,
        () ->
            peapod
                .cri()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.sandbox()).build()));
    assertCode(
        Status.Code.NOT_FOUND,
        () ->
            peapod
                .cri()
                .containerStatus(
                    ContainerStatusRequest.newBuilder().setContainerId(pod.container()).build()));
    assertCode(Status.Code.NOT_FOUND, () -> cri.start("nobody"));
  }

  @Test
  void aSandboxTakesItsRunningContainersAlong() {
    PodSandboxConfig.Builder config = cri.sandbox("crowded");
    String sandbox = cri.run(config);
    for (String name : List.of("one", "two", "three")) {
      String container = cri.create(sandbox, config, cri.container(name, "sleep", "100019"));
      if (!name.equals("three")) {
        cri.start(container);
      }
    }
    assertThat(
            peapod
                .cri()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersCount())
        .isEqualTo(3);
    // Without stopping anything first.
    peapod
        .cri()
        .removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
    assertThat(PodProcesses.of(peapod)).isEmpty();
    assertThat(
            peapod
                .cri()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersCount())
        .isZero();
  }

  @Test
  void aNameIsTakenOnce() {
    PodSandboxConfig.Builder config = cri.sandbox("named");
    String sandbox = cri.run(config);
    assertCode(Status.Code.ALREADY_EXISTS, () -> cri.run(config));
    cri.create(sandbox, config, cri.container("main", "sleep", "100020"));
    assertCode(
        Status.Code.ALREADY_EXISTS,
        () -> cri.create(sandbox, config, cri.container("main", "sleep", "100020")));
    cri.remove(sandbox);
  }

  @Test
  void withoutPauseThereIsNoPod() {
    PodSandboxConfig.Builder config = cri.sandbox("headless");
    CriPods.Started pod = cri.start(config, cri.container("main", "sleep", "100021"));
    PodProcesses.of(peapod).stream().filter(PodProcesses.Found::isPause).findFirst().orElseThrow().kill();
    ContainerStatus status = cri.awaitExit(pod.container());
    assertThat(status.getExitCode()).isEqualTo(137);
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                peapod
                    .cri()
                    .podSandboxStatus(
                        PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.sandbox()).build())
                    .getStatus()
                    .getState(),
            PodSandboxState.SANDBOX_NOTREADY::equals);
    cri.remove(pod.sandbox());
  }

  @Test
  void theTwoOwnersDoNotSeeEachOther() {
    CriPods.Started mine = cri.start(cri.sandbox("mine"), cri.container("main", "sleep", "100022"));
    peapod.apply(Manifests.sleeper("theirs"));
    peapod.awaitReady("theirs");
    ListPodSandboxRequest all = ListPodSandboxRequest.getDefaultInstance();
    assertThat(peapod.cri().listPodSandbox(all).getItemsList())
        .extracting(s -> s.getMetadata().getName())
        .containsExactly("mine");
    assertThat(peapod.podsCri().listPodSandbox(all).getItemsList())
        .extracting(s -> s.getMetadata().getName())
        .containsExactly("theirs");
    String theirs = peapod.podsCri().listPodSandbox(all).getItems(0).getId();
    assertCode(
        Status.Code.NOT_FOUND,
        () ->
            peapod
                .cri()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder().setPodSandboxId(theirs).build()));
    // A kubelet that cleans up what it does not know touches nothing of the other's.
    peapod
        .cri()
        .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(theirs).build());
    peapod
        .cri()
        .removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(theirs).build());
    assertThat(PodProcesses.await(peapod, "sleep 100000", 1)).hasSize(1);
    assertThat(peapod.client("get", "pods").ok()).contains("theirs").doesNotContain("mine");
    peapod.delete("theirs");
    cri.remove(mine.sandbox());
  }

  @Test
  void itSaysWhatItIs() {
    assertThat(peapod.cri().version(VersionRequest.getDefaultInstance()))
        .satisfies(
            v -> {
              assertThat(v.getRuntimeName()).isEqualTo("peapod");
              assertThat(v.getRuntimeApiVersion()).isEqualTo("v1");
            });
    assertThat(
            peapod.cri().status(StatusRequest.getDefaultInstance()).getStatus().getConditionsList())
        .allMatch(condition -> condition.getStatus())
        .extracting(condition -> condition.getType())
        .contains("RuntimeReady", "NetworkReady");
  }

  /// Where a container can be saved, the guest's tests do it.
  @Test
  void whyAContainerCanNotBeSavedIsSaid() {
    CriPods.Started shared =
        cri.start(cri.sandbox("shared"), cri.script("main", "exec sleep 100000"));
    assertThat(refusal(shared.container())).contains("it shares its PID namespace");
    cri.remove(shared.sandbox());
    if (Shell.run("sh", "-c", "criu check").exit() == 0) {
      return;
    }
    ContainerConfig.Builder container = cri.script("main", "exec sleep 100000");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.CONTAINER);
    CriPods.Started own = cri.start(cri.sandbox("saved"), container);
    assertThat(refusal(own.container()))
        .containsAnyOf("criu is not installed (package criu)", "criu refuses: ")
        .doesNotContain("does not say why");
    assertThat(cri.status(own.container()).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    cri.remove(own.sandbox());
  }

  private String refusal(String container) {
    Path location = peapod.directory().resolve("checkpoint.tar");
    CheckpointContainerRequest request =
        CheckpointContainerRequest.newBuilder()
            .setContainerId(container)
            .setLocation(location.toString())
            .build();
    try {
      peapod.cri().checkpointContainer(request);
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(location).doesNotExist();
      return String.valueOf(e.getStatus().getDescription());
    }
    throw new AssertionError("it was saved");
  }

  private static void assertCode(Status.Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code));
  }

  /// What has been killed is there until pause has reaped it.
  private void onlyPauseIsLeft() {
    await().untilAsserted(() -> assertThat(PodProcesses.of(peapod)).hasSize(1));
  }
}
