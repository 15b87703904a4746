package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.proto.runtime.v1.CheckpointContainerRequest;
import dev.peapod.proto.runtime.v1.CheckpointPodRequest;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers that are saved by Debian's criu. For the guest, whose kernel that criu knows.
@SuppressWarnings("NullAway.Init")
class Checkpoints extends SystemTest {
  /// Counts in memory alone, and tells each number.
  private static final String COUNTING =
      "echo kept > /kept; rm /etc/passwd; i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done";

  private CriPods cri;
  private Path archives;

  @BeforeAll
  void prepare() throws IOException {
    cri = new CriPods(peapod::podsCri, peapod.directory().resolve("cri-logs"), Fixtures.BUSYBOX);
    archives = Files.createDirectory(peapod.directory().resolve("archives"));
  }

  @BeforeEach
  void emptyTheDirectory() {
    Shell.run("sh", "-c", "rm -rf '" + archives + "'/*").ok();
  }

  private ContainerConfig.Builder counting(String name) {
    ContainerConfig.Builder container = cri.script(name, COUNTING);
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.CONTAINER);
    return container;
  }

  private static void awaitNumber(Path log, int least) {
    await()
        .atMost(Patience.ofSeconds(30))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> number(log) >= least);
  }

  private static int number(Path log) {
    List<String> texts = CriPods.texts(log);
    return texts.isEmpty() ? 0 : Integer.parseInt(texts.getLast());
  }

  private void save(String container, Path location) {
    peapod
        .podsCri()
        .checkpointContainer(
            CheckpointContainerRequest.newBuilder()
                .setContainerId(container)
                .setLocation(location.toString())
                .build());
  }

  private static List<String> entries(Path archive) {
    return Shell.run("tar", "-tf", archive.toString()).ok().lines().toList();
  }

  private List<String> inTheDirectory() throws IOException {
    try (Stream<Path> files = Files.list(archives)) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  @Test
  void aContainerIsSavedWhileItRuns() throws IOException {
    CriPods.Started pod = cri.start(cri.sandbox("saved"), counting("main"));
    awaitNumber(pod.log(), 3);
    Path archive = archives.resolve("main.tar");
    save(pod.container(), archive);
    int then = number(pod.log());
    assertThat(inTheDirectory()).containsExactly("main.tar");
    assertThat(Files.getAttribute(archive, "unix:mode")).isEqualTo(0100600);
    assertThat(entries(archive))
        .contains(
            "config.dump",
            "spec.dump",
            "dump.log",
            "stats-dump",
            "rootfs-diff.tar",
            "checkpoint/inventory.img",
            "checkpoint/descriptors.json");
    Shell.run("tar", "-xf", archive.toString(), "-C", archives.toString(), "config.dump", "rootfs-diff.tar").ok();
    assertThat(Files.readString(archives.resolve("config.dump")))
        .contains("\"id\":\"" + pod.container() + "\"")
        .contains("\"name\":\"main\"");
    assertThat(entries(archives.resolve("rootfs-diff.tar"))).contains("kept", "etc/.wh.passwd");
    assertThat(cri.status(pod.container()).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    awaitNumber(pod.log(), then + 3);
    cri.remove(pod.sandbox());
  }

  @Test
  void aPodIsSavedWithItsContainers() throws IOException {
    PodSandboxConfig.Builder sandbox = cri.sandbox("whole");
    CriPods.Started pod = cri.start(sandbox, counting("one"));
    String two = cri.create(pod.sandbox(), sandbox, counting("two"));
    cri.start(two);
    CheckpointPodRequest.Builder request =
        CheckpointPodRequest.newBuilder()
            .setPodSandboxId(pod.sandbox())
            .setOutputPath(archives.resolve("pod.tar").toString());
    peapod.podsCri().checkpointPod(request.build());
    assertThat(entries(archives.resolve("pod.tar")))
        .containsExactlyInAnyOrder("pod.dump", "containers/one.tar", "containers/two.tar");
    peapod.podsCri().checkpointPod(request.addContainerIds(two).build());
    assertThat(entries(archives.resolve("pod.tar")))
        .containsExactly("pod.dump", "containers/two.tar");
    assertThat(inTheDirectory()).containsExactly("pod.tar");
    refuses(
        Status.Code.INVALID_ARGUMENT,
        "\"speed\"",
        () -> peapod.podsCri().checkpointPod(request.putOptions("speed", "high").build()));
    cri.remove(pod.sandbox());
  }

  @Test
  void whatCanNotBeSavedIsRefusedAndGoesOn() throws IOException {
    CriPods.Started shared =
        cri.start(cri.sandbox("shared"), cri.script("main", "exec sleep 100000"));
    Path archive = archives.resolve("no.tar");
    refuses(
        Status.Code.FAILED_PRECONDITION,
        "shares its PID namespace",
        () -> save(shared.container(), archive));
    CriPods.Started own = cri.start(cri.sandbox("own"), counting("main"));
    refuses(
        Status.Code.INVALID_ARGUMENT,
        "/no-such-directory/",
        () -> save(own.container(), Path.of("/no-such-directory/no.tar")));
    assertThat(inTheDirectory()).isEmpty();
    awaitNumber(own.log(), number(own.log()) + 2);
    cri.remove(shared.sandbox());
    cri.remove(own.sandbox());
  }

  private static void refuses(Status.Code code, String why, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code))
        .hasMessageContaining(why);
  }
}
