package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.peapod.bench.UnixChannel;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.DeleteObjectsRequest;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ImageLoadRequest;
import dev.peapod.proto.peapod.v1.ImageLoadResponse;
import dev.peapod.proto.peapod.v1.ImagesGrpc;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.Manifest;
import dev.peapod.proto.peapod.v1.ObjectSelector;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The installed `peapodd` with everything of its own: roots, socket, bridge, addresses, cgroup.
final class Peapod implements AutoCloseable {
  private static final AtomicInteger NUMBERS = new AtomicInteger();
  private static final Path INSTALLED = Fixtures.HOME.resolve("target/peapod/bin");
  private static final int CHUNK = 1 << 20;
  private static final Duration PATIENCE = Patience.ofSeconds(60);
  private static final long DEADLINE_SECONDS = Patience.ofSeconds(90).toSeconds();

  private final int number = NUMBERS.incrementAndGet();
  private final Path directory;
  private final List<String> flags;
  private final int streamingPort = Registry.freePort();
  private String bootId = "";
  private @Nullable Process process;
  private @Nullable UnixChannel channel;
  private @Nullable UnixChannel podsChannel;

  /// Chooses the names; starts nothing.
  ///
  /// @param flags more flags for peapodd
  Peapod(String... flags) {
    try {
      // A unix socket's path may have 107 bytes.
      directory = Files.createTempDirectory(Path.of("/tmp"), "peat" + number + "-");
      Files.createDirectories(directory.resolve("cni"));
      Files.writeString(directory.resolve("config.yaml"), "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.flags = List.of(flags);
  }

  /// Everything of this daemon is below it.
  Path directory() {
    return directory;
  }

  Path root() {
    return directory.resolve("root");
  }

  Path state() {
    return directory.resolve("state");
  }

  Path logs() {
    return directory.resolve("logs");
  }

  /// The directory whose manifests are kept applied.
  Path manifests() {
    return directory.resolve("manifests");
  }

  Path socket() {
    return directory.resolve("peapod.sock");
  }

  String bridge() {
    return "peat" + number;
  }

  String cgroup() {
    return "/peat" + number;
  }

  /// Which of the address ranges 10.234.N.0/24 it has.
  int number() {
    return number;
  }

  /// Starts the daemon as if the machine had been booted since; the next start is one of the real boot again.
  void startAfterAReboot() {
    bootId = UUID.randomUUID().toString();
    try {
      start();
    } finally {
      bootId = "";
    }
  }

  /// Starts the daemon and waits until it serves.
  void start() {
    List<String> command = new ArrayList<>();
    command.add(INSTALLED.resolve("peapodd").toString());
    command.addAll(
        List.of(
            "--config", directory.resolve("config.yaml").toString(),
            "--root", root().toString(),
            "--state", state().toString(),
            "--socket", socket().toString(),
            "--log-root", logs().toString(),
            "--bridge", bridge(),
            "--pod-cidr", "10.234." + number + ".0/24",
            // What waits for the next pod would look like something left of the one before.
            "--spares", "0",
            "--manifest-dir", manifests().toString(),
            // Opened with the first stream otherwise, which would look like something left as well.
            "--streaming-address", "127.0.0.1:" + streamingPort,
            "--cni-conf-dir", directory.resolve("cni").toString()));
    if (!flags.contains("--cgroup-parent")) {
      command.addAll(List.of("--cgroup-parent", cgroup()));
    }
    command.addAll(flags);
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(new java.io.File("/dev/null"))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()));
      if (!bootId.isEmpty()) {
        builder
            .environment()
            .merge("PEAPODD_JAVA_OPTIONS", "-Dpeapod.boot-id=" + bootId, (all, one) -> all + " " + one);
      }
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    channel = new UnixChannel(socket());
    await().atMost(PATIENCE).pollInterval(Patience.toLookAgain(20)).until(this::serves);
    podsChannel = new UnixChannel(state().resolve("pods-cri.sock"));
  }

  private boolean serves() {
    assertRuns();
    try {
      return HealthGrpc.newBlockingStub(channel().channel())
              .withDeadlineAfter(5, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus()
          == ServingStatus.SERVING;
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  private void assertRuns() {
    if (!running().isAlive()) {
      throw new AssertionError(
          "peapodd has ended by itself with " + running().exitValue() + "; its log:\n" + log());
    }
  }

  /// SIGTERM, as a service manager would; pods go on.
  void stop() {
    end(false);
  }

  /// SIGKILL, as nobody should.
  void kill() {
    end(true);
  }

  private void end(boolean force) {
    disconnect();
    Process running = running();
    if (force) {
      running.destroyForcibly();
    } else {
      running.destroy();
    }
    try {
      boolean ended = running.waitFor(Patience.ofSeconds(30));
      if (!ended) {
        running.destroyForcibly().waitFor();
      }
      assertThat(ended).as("peapodd ended on SIGTERM; its log:\n%s", log()).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process = null;
  }

  private void disconnect() {
    if (channel != null) {
      channel.close();
      channel = null;
    }
    if (podsChannel != null) {
      podsChannel.close();
      podsChannel = null;
    }
  }

  /// The daemon's process id.
  long pid() {
    return running().pid();
  }

  private Process running() {
    if (process == null) {
      throw new IllegalStateException("peapodd is not started");
    }
    return process;
  }

  private UnixChannel channel() {
    if (channel == null) {
      throw new IllegalStateException("peapodd is not started");
    }
    return channel;
  }

  /// CRI as a kubelet sees it.
  RuntimeServiceGrpc.RuntimeServiceBlockingStub cri() {
    return RuntimeServiceGrpc.newBlockingStub(channel().channel())
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /// CRI's images as a kubelet sees them.
  ImageServiceGrpc.ImageServiceBlockingStub criImages() {
    return ImageServiceGrpc.newBlockingStub(channel().channel())
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /// CRI as the pods' owner sees it, on its own socket.
  RuntimeServiceGrpc.RuntimeServiceBlockingStub podsCri() {
    if (podsChannel == null) {
      throw new IllegalStateException("peapodd is not started");
    }
    return RuntimeServiceGrpc.newBlockingStub(podsChannel.channel())
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  PodsGrpc.PodsBlockingStub pods() {
    return PodsGrpc.newBlockingStub(channel().channel()).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  ImagesGrpc.ImagesBlockingStub images() {
    return ImagesGrpc.newBlockingStub(channel().channel()).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /// Runs the client.
  Shell.Result client(String... arguments) {
    return clientWith("", arguments);
  }

  /// Runs the client with something on its standard input.
  Shell.Result clientWith(String input, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(INSTALLED.resolve("peapod").toString());
    command.addAll(List.of(arguments));
    return Shell.run(Map.of("PEAPOD_SOCKET", socket().toString()), input, command);
  }

  /// Loads an archive of images for applied pods, without the client.
  void load(Path archive) {
    CompletableFuture<ImageLoadResponse> answer = new CompletableFuture<>();
    StreamObserver<ImageLoadRequest> requests =
        ImagesGrpc.newStub(channel().channel())
            .load(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ImageLoadResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable cause) {
                    answer.completeExceptionally(cause);
                  }

                  @Override
                  public void onCompleted() {}
                });
    try (InputStream in = Files.newInputStream(archive)) {
      byte[] chunk = in.readNBytes(CHUNK);
      for (; chunk.length > 0; chunk = in.readNBytes(CHUNK)) {
        requests.onNext(
            ImageLoadRequest.newBuilder().setChunk(ByteString.copyFrom(chunk)).build());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    requests.onCompleted();
    answer.join();
  }

  /// Applies a manifest that must be good, without the client, whose start is slow where all is emulated.
  void submit(String manifest) {
    pods()
        .apply(
            ApplyRequest.newBuilder()
                .addManifests(
                    Manifest.newBuilder().setSource("-").setContent(ByteString.copyFromUtf8(manifest)))
                .build());
  }

  /// Deletes a pod and waits until it is gone, without the client.
  void withdraw(String pod) {
    pods()
        .delete(
            DeletePodsRequest.newBuilder()
                .setSelector(PodSelector.newBuilder().setNamespace("default").setName(pod))
                .setWait(true)
                .build());
  }

  /// Applies a manifest that must be good.
  void apply(String manifest) {
    clientWith(manifest, "apply", "-f", "-").ok();
  }

  /// Deletes a pod and waits until it is gone.
  void delete(String pod) {
    client("delete", "pod", pod).ok();
  }

  /// The pod as the daemon sees it now.
  Optional<PodSummary> pod(String name) {
    try {
      return Optional.of(
          pods()
              .get(GetPodRequest.newBuilder().setNamespace("default").setName(name).build())
              .getSummary());
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Waits until all containers of the pod are ready.
  PodSummary awaitReady(String name) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(Patience.toLookAgain(50))
        .until(
            () -> pod(name).orElseThrow(),
            p -> p.getTotalContainers() > 0 && p.getReadyContainers() == p.getTotalContainers());
  }

  /// Removes every pod of either owner, and what makes pods.
  void removeAll() {
    for (String kind : List.of("cronjob", "job", "daemonset", "deployment", "replicaset")) {
      pods()
          .deleteObjects(
              DeleteObjectsRequest.newBuilder()
                  .setSelector(ObjectSelector.newBuilder().setKind(kind))
                  .setWait(true)
                  .setGracePeriodSeconds(1)
                  .build());
    }
    if (pods().list(ListPodsRequest.getDefaultInstance()).getPodsCount() > 0) {
      client("delete", "pods", "--all", "--now");
    }
    removeSandboxes(this::cri);
    removeSandboxes(this::podsCri);
  }

  private static void removeSandboxes(
      Supplier<RuntimeServiceGrpc.RuntimeServiceBlockingStub> owner) {
    ListPodSandboxRequest all = ListPodSandboxRequest.getDefaultInstance();
    for (PodSandbox sandbox : owner.get().listPodSandbox(all).getItemsList()) {
      owner
          .get()
          .removePodSandbox(
              RemovePodSandboxRequest.newBuilder().setPodSandboxId(sandbox.getId()).build());
    }
  }

  Path logFile() {
    return directory.resolve("peapodd.log");
  }

  /// What the daemon has written to standard error, over all its starts.
  String log() {
    try {
      return Files.readString(logFile());
    } catch (IOException e) {
      return "";
    }
  }

  /// Ends the daemon if it runs, with what a failed test left in it, and removes the directory.
  @Override
  public void close() {
    if (process != null) {
      assertRuns();
      removeAll();
      stop();
    }
    Shell.run("rm", "-rf", "--one-file-system", directory.toString()).ok();
  }
}
