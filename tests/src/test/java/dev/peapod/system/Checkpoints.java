package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.proto.runtime.v1.CheckpointContainerRequest;
import dev.peapod.proto.runtime.v1.CheckpointPodRequest;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.RestorePodRequest;
import dev.peapod.proto.runtime.v1.RestorePodResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers that are saved by Debian's criu. For the guest, whose kernel that criu knows; they go with a class that has a
/// daemon, as those of [AppArmorProfiles].
interface Checkpoints {
  /// Counts in memory alone, and tells each number.
  String COUNTING =
      "trap 'exit 7' USR1; echo kept > /kept; rm /etc/passwd; i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done";

  Peapod daemon();

  CriPods cri();

  private Path archives() {
    return daemon().directory().resolve("archives");
  }

  @BeforeEach
  default void emptyTheDirectory() throws IOException {
    if (Files.exists(archives())) {
      Shell.run("rm", "-rf", archives().toString()).ok();
    }
    Files.createDirectory(archives());
  }

  private ContainerConfig.Builder counting(String name) {
    ContainerConfig.Builder container = cri().script(name, COUNTING);
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
    daemon()
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
    try (Stream<Path> files = Files.list(archives())) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  @Test
  default void aContainerIsSavedWhileItRuns() throws IOException {
    assumeTrue(GuestIT.isInstalled("criu"), "criu is not installed");
    CriPods.Started pod = cri().start(cri().sandbox("saved"), counting("main"));
    awaitNumber(pod.log(), 3);
    Path archive = archives().resolve("main.tar");
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
    Shell.run("tar", "-xf", archive.toString(), "-C", archives().toString(), "config.dump", "rootfs-diff.tar").ok();
    assertThat(Files.readString(archives().resolve("config.dump")))
        .contains("\"id\":\"" + pod.container() + "\"")
        .contains("\"name\":\"main\"");
    assertThat(entries(archives().resolve("rootfs-diff.tar"))).contains("kept", "etc/.wh.passwd");
    assertThat(cri().status(pod.container()).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    awaitNumber(pod.log(), then + 3);
    cri().remove(pod.sandbox());
  }

  @Test
  default void aPodIsSavedWithItsContainers() throws IOException {
    assumeTrue(GuestIT.isInstalled("criu"), "criu is not installed");
    PodSandboxConfig.Builder sandbox = cri().sandbox("whole");
    CriPods.Started pod = cri().start(sandbox, counting("one"));
    String two = cri().create(pod.sandbox(), sandbox, counting("two"));
    cri().start(two);
    CheckpointPodRequest.Builder request =
        CheckpointPodRequest.newBuilder()
            .setPodSandboxId(pod.sandbox())
            .setOutputPath(archives().resolve("pod.tar").toString());
    daemon().podsCri().checkpointPod(request.build());
    assertThat(entries(archives().resolve("pod.tar")))
        .containsExactlyInAnyOrder("pod.dump", "containers/one.tar", "containers/two.tar");
    daemon().podsCri().checkpointPod(request.addContainerIds(two).build());
    assertThat(entries(archives().resolve("pod.tar")))
        .containsExactly("pod.dump", "containers/two.tar");
    assertThat(inTheDirectory()).containsExactly("pod.tar");
    refuses(
        Status.Code.INVALID_ARGUMENT,
        "\"speed\"",
        () -> daemon().podsCri().checkpointPod(request.putOptions("speed", "high").build()));
    cri().remove(pod.sandbox());
  }

  @Test
  default void aPodGoesOnWhereItWasSaved() throws IOException {
    assumeTrue(GuestIT.isInstalled("criu"), "criu is not installed");
    PodSandboxConfig.Builder sandbox = cri().sandbox("moved");
    ContainerConfig.Builder container = counting("main");
    CriPods.Started pod = cri().start(sandbox, container);
    awaitNumber(pod.log(), 4);
    Path archive = archives().resolve("pod.tar");
    daemon()
        .podsCri()
        .checkpointPod(
            CheckpointPodRequest.newBuilder()
                .setPodSandboxId(pod.sandbox())
                .setOutputPath(archive.toString())
                .build());
    cri().remove(pod.sandbox());
    int last = number(pod.log());
    Files.delete(pod.log());
    RestorePodRequest.Builder request =
        RestorePodRequest.newBuilder()
            .setCheckpointPath(archive.toString())
            .setConfig(sandbox)
            .addContainerConfigs(container);
    RestorePodResponse restored = daemon().podsCri().restorePod(request.build());
    assertThat(restored.getRestoredContainersList())
        .singleElement()
        .satisfies(c -> assertThat(c.getName()).isEqualTo("main"));
    String id = restored.getRestoredContainers(0).getContainerId();
    awaitNumber(pod.log(), last + 3);
    List<String> texts = CriPods.texts(pod.log());
    int first = Integer.parseInt(texts.getFirst());
    assertThat(first).isBetween(3, last + 1);
    assertThat(texts.subList(0, 3))
        .containsExactly("" + first, "" + (first + 1), "" + (first + 2));
    ExecSyncResponse files =
        cri().exec(id, "cat /kept; test -e /etc/passwd; echo $?; echo x > /sys/x; kill -USR1 1");
    assertThat(files.getStdout().toStringUtf8()).isEqualTo("kept\n1\n");
    // Its end is told as any other's.
    assertThat(cri().awaitExit(id).getExitCode()).isEqualTo(7);
    cri().remove(restored.getPodSandboxId());
    hostile(request, archive);
  }

  /// Nothing but processes and files comes from an archive, and nothing is left where one is refused.
  private void hostile(RestorePodRequest.Builder request, Path archive) throws IOException {
    // A request that makes a mount which the archive does not have.
    RestorePodRequest.Builder other = request.clone();
    other.getContainerConfigsBuilder(0).addMounts(
        Mount.newBuilder().setContainerPath("/etc").setHostPath("/etc").setReadonly(true));
    refuses(Status.Code.FAILED_PRECONDITION, "\"/etc\"", () -> daemon().podsCri().restorePod(other.build()));
    // A process that may more than the request says.
    RestorePodRequest.Builder less = request.clone();
    less.getContainerConfigsBuilder(0)
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getCapabilitiesBuilder()
        .addDropCapabilities("CHOWN");
    refuses(Status.Code.FAILED_PRECONDITION, "capabilities", () -> daemon().podsCri().restorePod(less.build()));
    Path work = Files.createDirectory(archives().resolve("work"));
    String unpack = "cd '" + work + "' && tar -xf ../pod.tar && mkdir c && tar -xf containers/main.tar -C c";
    Shell.run("sh", "-c", unpack).ok();
    // Files that lead out, devices, and no archive at all.
    for (String change :
        List.of(
            "ln -s /etc/passwd checkpoint/extra.img",
            "rm rootfs-diff.tar; mknod block b 7 0; tar -cf rootfs-diff.tar block; rm block",
            "rm checkpoint/mountpoints-*",
            "echo x > checkpoint/descriptors.json",
            "echo > unknown")) {
      String make =
          "cd '"
              + work
              + "' && rm -rf d && cp -a c d && (cd d && "
              + change
              + ") && (cd d && tar -cf ../containers/main.tar *) && tar -cf ../bad.tar pod.dump containers/main.tar";
      Shell.run("sh", "-c", make).ok();
      request.setCheckpointPath(archives().resolve("bad.tar").toString());
      assertThatThrownBy(() -> daemon().podsCri().restorePod(request.build()))
          .as(change)
          .isInstanceOf(StatusRuntimeException.class);
    }
    assertThat(daemon().podsCri().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList())
        .isEmpty();
  }

  @Test
  default void whatCanNotBeSavedIsRefusedAndGoesOn() throws IOException {
    assumeTrue(GuestIT.isInstalled("criu"), "criu is not installed");
    CriPods.Started shared =
        cri().start(cri().sandbox("shared"), cri().script("main", "exec sleep 100000"));
    Path archive = archives().resolve("no.tar");
    refuses(
        Status.Code.FAILED_PRECONDITION,
        "shares its PID namespace",
        () -> save(shared.container(), archive));
    CriPods.Started own = cri().start(cri().sandbox("own"), counting("main"));
    refuses(
        Status.Code.INVALID_ARGUMENT,
        "/no-such-directory/",
        () -> save(own.container(), Path.of("/no-such-directory/no.tar")));
    assertThat(inTheDirectory()).isEmpty();
    awaitNumber(own.log(), number(own.log()) + 2);
    cri().remove(shared.sandbox());
    cri().remove(own.sandbox());
  }

  private static void refuses(Status.Code code, String why, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code))
        .hasMessageContaining(why);
  }
}
