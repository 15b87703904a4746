package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.ImagePullRequest;
import dev.peapod.proto.peapod.v1.Manifest;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PortMapping;
import dev.peapod.proto.runtime.v1.Protocol;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Everything that a person gets wrong: the error names it, with the right code, and nothing is left of the attempt.
@SuppressWarnings("NullAway.Init")
class BadInputIT extends KubeletTest {
  private static Stream<Arguments> manifests() {
    String good = Manifests.sleeper("bad");
    return Stream.of(
        Arguments.of("unknown field", good.replace("command:", "comand:"), "bad.yaml:10", "comand"),
        Arguments.of(
            "wrong type",
            good.replace("Seconds: 2", "Seconds: soon"),
            "bad.yaml:6",
            "terminationGracePeriodSeconds"),
        Arguments.of(
            "duplicate key", good.replace("spec:", "  name: other\nspec:"), "bad.yaml:5", "name"),
        Arguments.of(
            "two containers of one name",
            Manifests.pod("bad", "", Manifests.idle("same"), Manifests.idle("same")),
            "bad.yaml",
            "same"),
        Arguments.of("no image", good.replaceAll("image: .*", "imagePullPolicy: Never"), "bad.yaml", "image"),
        Arguments.of(
            "bad name", good.replace("name: bad", "name: Bad_Name"), "bad.yaml:4", "Bad_Name"),
        Arguments.of("unknown kind", good.replace("kind: Pod", "kind: StatefulSet"), "bad.yaml:", "StatefulSet"),
        Arguments.of("not YAML", "spec: [", "bad.yaml:1", ""),
        Arguments.of(
            "one bad document of two",
            Manifests.sleeper("innocent") + "---\n" + good.replace("spec:", "spek:"),
            "bad.yaml:16",
            "spek"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("manifests")
  void aManifestIsRefusedWithItsLine(String what, String manifest, String where, String name) {
    assertThatThrownBy(
            () ->
                peapod
                    .pods()
                    .apply(
                        ApplyRequest.newBuilder()
                            .addManifests(
                                Manifest.newBuilder()
                                    .setSource("bad.yaml")
                                    .setContent(ByteString.copyFromUtf8(manifest)))
                            .build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(e.getStatus().getDescription()).contains(where).contains(name);
            });
    Shell.Result client = peapod.clientWith(manifest, "apply", "-f", "-");
    assertThat(client.exit()).isNotZero();
    assertThat(client.err()).contains(name).doesNotContain("Exception").doesNotContain("\tat ");
    assertThat(peapod.pod("bad")).isEmpty();
    assertThat(peapod.pod("innocent")).isEmpty();
  }

  @Test
  void anImageThatIsNotThere() {
    pullFails(Status.Code.NOT_FOUND, registry.reference("nobody/nothing:1"), "nobody/nothing:1");
    pullFails(Status.Code.NOT_FOUND, registry.reference("busybox:no-such-tag"), "no-such-tag");
  }

  @Test
  void aDigestThatIsNotThere() {
    String digest = "sha256:" + "0123456789abcdef".repeat(4);
    pullFails(Status.Code.NOT_FOUND, registry.reference("busybox@" + digest), digest);
  }

  @Test
  void aRegistryThatIsDown() {
    String reference = "127.0.0.1:%d/some/thing:1".formatted(Registry.freePort());
    pullFails(Status.Code.UNAVAILABLE, reference, reference.substring(0, reference.indexOf('/')));
  }

  @Test
  void aReferenceThatIsNone() {
    pullFails(Status.Code.INVALID_ARGUMENT, "Not A Reference", "Not A Reference");
  }

  private void pullFails(Status.Code code, String reference, String name) {
    assertThatThrownBy(
            () ->
                peapod
                    .images()
                    .pull(ImagePullRequest.newBuilder().setReference(reference).build())
                    .forEachRemaining(progress -> {}))
        .isInstanceOfSatisfying(StatusRuntimeException.class, expect(code, name));
    assertThatThrownBy(
            () ->
                peapod
                    .criImages()
                    .pullImage(
                        PullImageRequest.newBuilder()
                            .setImage(ImageSpec.newBuilder().setImage(reference))
                            .build()))
        .isInstanceOfSatisfying(StatusRuntimeException.class, expect(code, name));
    Shell.Result client = peapod.client("image", "pull", reference);
    assertThat(client.exit()).isNotZero();
    assertThat(client.err()).contains(name).doesNotContain("Exception");
  }

  private static Consumer<StatusRuntimeException> expect(Status.Code code, String name) {
    return e -> {
      assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code);
      assertThat(e.getStatus().getDescription()).contains(name);
    };
  }

  @Test
  void aPodSaysThatItsImageIsMissing() {
    String image = registry.reference("nobody/nothing:1");
    peapod.apply(Manifests.sleeper("imageless").replace(Fixtures.BUSYBOX, image));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> peapod.pod("imageless").orElseThrow().getStatus(), s -> s.contains("Image"));
    assertThat(peapod.client("describe", "pod", "imageless").ok()).contains("nobody/nothing:1");
    peapod.delete("imageless");
  }

  @Test
  void aHostPortThatIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
      int port = taken.getLocalPort();
      PodSandboxConfig.Builder config =
          cri.sandbox("taken")
              .addPortMappings(
                  PortMapping.newBuilder()
                      .setProtocol(Protocol.TCP)
                      .setContainerPort(80)
                      .setHostPort(port));
      assertThatThrownBy(() -> cri.run(config))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode())
                    .isIn(Status.Code.FAILED_PRECONDITION, Status.Code.ALREADY_EXISTS, Status.Code.RESOURCE_EXHAUSTED);
                assertThat(e.getStatus().getDescription()).contains(Integer.toString(port));
              });
      assertThat(PodProcesses.of(peapod)).isEmpty();

      peapod.apply(
          Manifests.pod(
              "taken",
              "",
              Manifests.container(
                  "main",
                  "exec sleep 100000",
                  "ports: [{containerPort: 80, hostPort: %d}]".formatted(port))));
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> peapod.client("describe", "pod", "taken").ok().contains("already in use"));
      assertThat(peapod.client("describe", "pod", "taken").ok()).contains(Integer.toString(port));
      peapod.delete("taken");
    }
  }

  @Test
  void aCommandThatIsNotFound() {
    startFails(Status.Code.INVALID_ARGUMENT, cri.container("main", "no-such-command"), "no-such-command");
    startFails(
        Status.Code.INVALID_ARGUMENT, cri.container("main", "/no/such/command"), "/no/such/command");
  }

  @Test
  void aCommandThatIsNotExecutable() {
    startFails(Status.Code.INVALID_ARGUMENT, cri.container("main", "/etc/passwd"), "/etc/passwd");
  }

  @Test
  void aWorkingDirectoryThatIsAFile() {
    startFails(
        Status.Code.INVALID_ARGUMENT,
        cri.container("main", "true").setWorkingDir("/etc/passwd"),
        "/etc/passwd");
  }

  @Test
  void aUserThatIsNotThere() {
    ContainerConfig.Builder byName = cri.container("main", "true");
    byName.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("nobody-i-know");
    startFails(Status.Code.INVALID_ARGUMENT, byName, "nobody-i-know");
    ContainerConfig.Builder byNumber = cri.container("main", "true");
    byNumber
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setRunAsUser(Int64Value.newBuilder().setValue(1L << 32));
    startFails(Status.Code.INVALID_ARGUMENT, byNumber, Long.toString(1L << 32));
  }

  /// At the creation or at the start: either may be the one that sees it.
  private void startFails(Status.Code code, ContainerConfig.Builder container, String name) {
    PodSandboxConfig.Builder config = cri.sandbox("failing");
    String sandbox = cri.run(config);
    assertThatThrownBy(() -> cri.start(cri.create(sandbox, config, container)))
        .isInstanceOfSatisfying(StatusRuntimeException.class, expect(code, name));
    assertThat(PodProcesses.of(peapod)).as("pause alone is left").hasSize(1);
    cri.remove(sandbox);
  }

  @Test
  void aPodSaysThatItsCommandIsNotFound() {
    peapod.apply(
        Manifests.sleeper("commandless").replace("[\"sh\", \"-c\", ", "[\"no-such-command\", "));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> peapod.client("describe", "pod", "commandless").ok().contains("no-such-command"));
    assertThat(peapod.client("get", "pods").ok()).doesNotContain("Running");
    peapod.delete("commandless");
  }

  @Test
  void whatIsNotThere() {
    Shell.Result get = peapod.client("get", "pod", "ghost");
    assertThat(get.exit()).isNotZero();
    assertThat(get.err()).contains("ghost");
    Shell.Result logs = peapod.client("logs", "ghost");
    assertThat(logs.exit()).isNotZero();
    assertThat(logs.err()).contains("ghost");
    Shell.Result load = peapod.client("image", "load", "-i", "/no/such/archive.tar");
    assertThat(load.exit()).isNotZero();
    assertThat(load.err()).contains("/no/such/archive.tar");
  }

  @Test
  void aDaemonThatIsNotThere() {
    Shell.Result result =
        Shell.run(
            Fixtures.HOME.resolve("target/peapod/bin/peapod").toString(),
            "--socket", "/tmp/no-such.sock", "get", "pods");
    assertThat(result.exit()).isNotZero();
    assertThat(result.err()).contains("/tmp/no-such.sock").doesNotContain("Exception");
  }
}
