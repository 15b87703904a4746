package dev.peapod.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.peapod.proto.peapod.v1.DaemonGrpc;
import dev.peapod.proto.peapod.v1.DaemonInfo;
import dev.peapod.proto.peapod.v1.DaemonInfoRequest;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.VersionRequest;
import io.grpc.ManagedChannel;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Starts and ends real daemons under their own roots.
class DaemonProcessTest {
  @TempDir Path directory;
  private Path root = Path.of("");
  private Path state = Path.of("");

  @BeforeEach
  void places() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "peapodd needs root");
    root = directory.resolve("root");
    state = directory.resolve("state");
  }

  @Test
  void answersOnItsSocketsAndLeavesNothingAfterSigterm() throws Exception {
    try (DaemonProcess daemon = start()) {
      daemon.awaitReady(socket());
      daemon.awaitReady(state.resolve("pods-cri.sock"));
      assertThat(permissions(socket())).isEqualTo("rw-rw----");
      assertThat(permissions(state.resolve("pods-cri.sock"))).isEqualTo("rw-------");
      assertThat(permissions(state)).isEqualTo("rwx------");
      assertThat(permissions(root)).isEqualTo("rwx------");

      ManagedChannel channel = DaemonProcess.connect(socket());
      assertThat(services(channel))
          .contains(
              "grpc.health.v1.Health",
              "grpc.reflection.v1.ServerReflection",
              "grpc.reflection.v1alpha.ServerReflection",
              "peapod.v1.Daemon",
              "peapod.v1.Images",
              "peapod.v1.Pods",
              "runtime.v1.ImageService",
              "runtime.v1.RuntimeService");
      assertThat(
              RuntimeServiceGrpc.newBlockingStub(channel)
                  .version(VersionRequest.getDefaultInstance())
                  .getRuntimeName())
          .isEqualTo("peapod");
      assertThat(
              PodsGrpc.newBlockingStub(channel)
                  .list(ListPodsRequest.getDefaultInstance())
                  .getPodsList())
          .isEmpty();
      DaemonInfo info =
          DaemonGrpc.newBlockingStub(channel).info(DaemonInfoRequest.getDefaultInstance());
      assertThat(info.getPid()).isEqualTo((int) daemon.pid());
      assertThat(info.getState()).isEqualTo(state.toString());
      channel.shutdownNow();

      daemon.terminate();
      assertThat(daemon.exitCode()).as(daemon.errors()).isZero();
      assertThat(daemon.errors()).contains("ready on " + socket()).contains("ended");
    }
    assertThat(socket()).doesNotExist();
    assertThat(state.resolve("pods-cri.sock")).doesNotExist();
    try (Stream<Path> left = Files.list(state)) {
      assertThat(left.map(Path::getFileName).map(Path::toString)).containsOnly("lock");
    }
  }

  @Test
  void startsAgainOverTheSocketOfAKilledDaemon() throws Exception {
    try (DaemonProcess first = start()) {
      first.awaitReady(socket());
      first.kill();
    }
    assertThat(socket()).exists();
    try (DaemonProcess second = start()) {
      second.awaitReady(socket());
    }
  }

  @Test
  void aSecondDaemonOnTheSameDirectoriesIsRefused() throws Exception {
    try (DaemonProcess first = start()) {
      first.awaitReady(socket());
      try (DaemonProcess second = start("--socket", directory.resolve("b.sock").toString())) {
        assertThat(second.exitCode()).isEqualTo(1);
        assertThat(second.errors())
            .contains("another peapodd (pid " + first.pid() + ") uses the state directory");
      }
      try (DaemonProcess second = start("--state", directory.resolve("other").toString())) {
        assertThat(second.exitCode()).isEqualTo(1);
        assertThat(second.errors()).contains("uses the root directory");
      }
      first.awaitReady(socket());
    }
  }

  @Test
  void aSocketThatSomebodyElseListensOnIsLeftAlone() throws Exception {
    Path taken = directory.resolve("taken.sock");
    try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.bind(UnixDomainSocketAddress.of(taken));
      try (DaemonProcess daemon = start("--socket", taken.toString())) {
        assertThat(daemon.exitCode()).isEqualTo(1);
        assertThat(daemon.errors()).contains("another process does");
      }
      assertThat(taken).exists();
    }
    Files.delete(taken);
    Files.writeString(taken, "precious");
    try (DaemonProcess daemon = start("--socket", taken.toString())) {
      assertThat(daemon.exitCode()).isEqualTo(1);
      assertThat(daemon.errors()).contains("not a socket");
    }
    assertThat(taken).hasContent("precious");
  }

  @Test
  void aBadConfigurationIsRefusedWithItsLine() throws Exception {
    Path config = directory.resolve("config.yaml");
    Files.writeString(config, "bridge: pea0\nbrigde: pea1\n");
    try (DaemonProcess daemon = start("--config", config.toString())) {
      assertThat(daemon.exitCode()).isEqualTo(2);
      assertThat(daemon.errors()).contains("config.yaml:2: unknown key \"brigde\"");
    }
    assertThat(state).doesNotExist();
  }

  @Test
  void tellsTheServiceManagerWhenItIsReady() throws Exception {
    Path notify = directory.resolve("notify");
    try (NotifySocket manager = new NotifySocket(notify);
        DaemonProcess daemon =
            DaemonProcess.start(
                directory, Map.of("NOTIFY_SOCKET", notify.toString()), arguments())) {
      assertThat(manager.receive()).isEqualTo("READY=1\n");
      daemon.terminate();
      assertThat(manager.receive()).isEqualTo("STOPPING=1\n");
    }
  }

  private DaemonProcess start(String... more) throws IOException {
    return DaemonProcess.start(directory, Map.of(), arguments(more));
  }

  private String[] arguments(String... more) {
    List<String> given = List.of(more);
    return Stream.concat(
            Stream.of(
                    Map.entry("--root", root.toString()),
                    Map.entry("--state", state.toString()),
                    Map.entry("--log-root", directory.resolve("logs").toString()),
                    Map.entry("--libexec", System.getProperty("peapod.native", "")),
                    Map.entry("--cni-conf-dir", directory.resolve("cni").toString()),
                    Map.entry("--bridge", "peadaemon"),
                    Map.entry("--pod-cidr", "10.231.0.0/24"),
                    Map.entry("--cgroup-parent", "/peapod-daemon-test"))
                .filter(flag -> !given.contains(flag.getKey()))
                .flatMap(flag -> Stream.of(flag.getKey(), flag.getValue())),
            given.stream())
        .toArray(String[]::new);
  }

  private Path socket() {
    return state.resolve("peapod.sock");
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static List<String> services(ManagedChannel channel) throws Exception {
    CompletableFuture<List<String>> names = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    names.complete(
                        response.getListServicesResponse().getServiceList().stream()
                            .map(ServiceResponse::getName)
                            .toList());
                  }

                  @Override
                  public void onError(Throwable error) {
                    names.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    List<String> found = names.get(30, TimeUnit.SECONDS);
    requests.onCompleted();
    return found;
  }
}
