package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/// Tests that ask over CRI, with the busybox image pulled from a registry of their own.
@SuppressWarnings("NullAway.Init")
abstract class KubeletTest extends SystemTest {
  protected Registry registry;
  protected CriPods cri;

  @BeforeAll
  final void pullTheImage() throws IOException {
    registry = new Registry(peapod.directory().resolve("registry"));
    String image = pull(Fixtures.busybox(), "busybox:1");
    cri = new CriPods(peapod::cri, peapod.directory().resolve("cri-logs"), image);
  }

  @AfterAll
  final void stopTheRegistry() throws InterruptedException {
    registry.close();
  }

  /// Pushes an archive, pulls it as a kubelet does, and answers its name.
  protected final String pull(Path archive, String name) {
    registry.push(archive, name);
    String image = registry.reference(name);
    peapod
        .criImages()
        .pullImage(
            PullImageRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build());
    return image;
  }

  /// Runs a container to its end in a pod and answers what it wrote.
  protected final List<String> output(
      String sandbox, PodSandboxConfig.Builder config, ContainerConfig.Builder container) {
    String id = cri.create(sandbox, config, container);
    cri.start(id);
    ContainerStatus status = cri.awaitExit(id);
    Path log = Path.of(status.getLogPath());
    List<String> lines = CriPods.texts(log);
    assertThat(status.getExitCode()).as("%s", lines).isZero();
    peapod.cri().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build());
    try {
      // One of the same name would go on with it.
      Files.delete(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }

  /// Runs a container in a pod of its own to its end and answers what it wrote.
  protected final List<String> output(
      PodSandboxConfig.Builder config, ContainerConfig.Builder container) {
    String sandbox = cri.run(config);
    List<String> lines = output(sandbox, config, container);
    cri.remove(sandbox);
    return lines;
  }

  /// Runs a script in a container and answers what it wrote, errors included.
  protected final String exec(String container, String script) {
    ExecSyncResponse response = cri.exec(container, script);
    return response.getStdout().concat(response.getStderr()).toStringUtf8().strip();
  }

  /// Asserts that a sandbox is refused, and that nothing of it is left.
  protected final void refused(PodSandboxConfig.Builder config, String... words) {
    assertRefused(() -> cri.run(config), words);
    await().untilAsserted(() -> assertThat(PodProcesses.of(peapod)).isEmpty());
  }

  /// Asserts that a container is refused in a pod of its own, when it is made or when it is
  /// started.
  protected final void refused(
      PodSandboxConfig.Builder config, ContainerConfig.Builder container, String... words) {
    String sandbox = cri.run(config);
    try {
      assertRefused(() -> cri.start(cri.create(sandbox, config, container)), words);
      await().untilAsserted(() -> assertThat(PodProcesses.of(peapod)).as("pause alone is left").hasSize(1));
    } finally {
      cri.remove(sandbox);
    }
  }

  /// Asserts that a call fails with INVALID_ARGUMENT and says all the words.
  protected static void assertRefused(Runnable call, String... words) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode())
                  .as(e.getMessage())
                  .isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(e.getStatus().getDescription()).contains(words);
            });
  }
}
