package dev.peapod.bench;

import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerMetadata;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.LinuxContainerConfig;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxConfig;
import dev.peapod.proto.runtime.v1.LinuxSandboxSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxMetadata;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import dev.peapod.proto.runtime.v1.VersionRequest;
import dev.peapod.proto.runtime.v1.VersionResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/// One CRI runtime under test. Thread-safe.
final class Runtime implements AutoCloseable {
  /// The command line of every container of this benchmark ends with it, which is how memory finds them.
  static final String WORKLOAD = "864001";

  private final String name;
  private final Path socket;
  private final String image;
  private final boolean hostNetwork;
  private final Path logs;
  private final UnixChannel channel;
  private final RuntimeServiceBlockingStub service;
  private final ImageServiceBlockingStub images;

  Runtime(String name, Path socket, String image, boolean hostNetwork, Path logs) {
    this.name = name;
    this.socket = socket;
    this.image = image;
    this.hostNetwork = hostNetwork;
    this.logs = logs;
    channel = new UnixChannel(socket);
    service = RuntimeServiceGrpc.newBlockingStub(channel.channel());
    images = ImageServiceGrpc.newBlockingStub(channel.channel());
  }

  /// A pod that was started.
  record StartedPod(String sandbox, String container) {}

  String name() {
    return name;
  }

  Path socket() {
    return socket;
  }

  /// The runtime's own words for what it is.
  String version() {
    VersionResponse version = bounded().version(VersionRequest.getDefaultInstance());
    return version.getRuntimeName() + " " + version.getRuntimeVersion();
  }

  /// Pulls the image unless it is there.
  void needImage() {
    ImageSpec spec = ImageSpec.newBuilder().setImage(image).build();
    ImageServiceBlockingStub stub = images.withDeadlineAfter(5, TimeUnit.MINUTES);
    if (!stub.imageStatus(ImageStatusRequest.newBuilder().setImage(spec).build()).hasImage()) {
      stub.pullImage(PullImageRequest.newBuilder().setImage(spec).build());
    }
  }

  /// Starts and removes one pod.
  ///
  /// @return the time of each call in nanoseconds
  Map<Call, Long> round() {
    return round(LinuxContainerConfig.getDefaultInstance());
  }

  /// As [#round()].
  ///
  /// @param linux what its container asks for besides its namespaces
  Map<Call, Long> round(LinuxContainerConfig linux) {
    Map<Call, Long> times = new EnumMap<>(Call.class);
    long begin = System.nanoTime();
    StartedPod pod = start(times, linux);
    times.put(Call.START, System.nanoTime() - begin);
    remove(pod, times);
    times.put(Call.WHOLE, System.nanoTime() - begin);
    return times;
  }

  /// Starts a pod of one container.
  StartedPod start(Map<Call, Long> times) {
    return start(times, LinuxContainerConfig.getDefaultInstance());
  }

  private StartedPod start(Map<Call, Long> times, LinuxContainerConfig linux) {
    PodSandboxConfig config = sandboxConfig();
    long t = System.nanoTime();
    String sandbox =
        bounded()
            .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build())
            .getPodSandboxId();
    t = took(times, Call.RUN_POD_SANDBOX, t);
    String container =
        bounded()
            .createContainer(
                CreateContainerRequest.newBuilder()
                    .setPodSandboxId(sandbox)
                    .setConfig(containerConfig(linux))
                    .setSandboxConfig(config)
                    .build())
            .getContainerId();
    t = took(times, Call.CREATE_CONTAINER, t);
    bounded().startContainer(StartContainerRequest.newBuilder().setContainerId(container).build());
    took(times, Call.START_CONTAINER, t);
    return new StartedPod(sandbox, container);
  }

  /// Runs a command in it to its end.
  ///
  /// @throws IllegalStateException if it does not end well
  void exec(StartedPod pod, List<String> command) {
    ExecSyncResponse done =
        bounded()
            .execSync(
                ExecSyncRequest.newBuilder()
                    .setContainerId(pod.container())
                    .addAllCmd(command)
                    .setTimeout(30)
                    .build());
    if (done.getExitCode() != 0) {
      throw new IllegalStateException(name + ": " + command + " ended with " + done);
    }
  }

  /// Ends and removes it, as kubelet would.
  void remove(StartedPod pod, Map<Call, Long> times) {
    long t = System.nanoTime();
    bounded()
        .stopContainer(
            StopContainerRequest.newBuilder()
                .setContainerId(pod.container())
                .setTimeout(10)
                .build());
    t = took(times, Call.STOP_CONTAINER, t);
    bounded()
        .removeContainer(
            RemoveContainerRequest.newBuilder().setContainerId(pod.container()).build());
    t = took(times, Call.REMOVE_CONTAINER, t);
    bounded()
        .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.sandbox()).build());
    t = took(times, Call.STOP_POD_SANDBOX, t);
    bounded()
        .removePodSandbox(
            RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod.sandbox()).build());
    took(times, Call.REMOVE_POD_SANDBOX, t);
  }

  @Override
  public void close() {
    channel.close();
  }

  private RuntimeServiceBlockingStub bounded() {
    return service.withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  private static long took(Map<Call, Long> times, Call call, long since) {
    long now = System.nanoTime();
    times.put(call, now - since);
    return now;
  }

  private NamespaceOption namespaces() {
    return NamespaceOption.newBuilder()
        .setNetwork(hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD)
        .setPid(NamespaceMode.POD)
        .setIpc(NamespaceMode.POD)
        .build();
  }

  private PodSandboxConfig sandboxConfig() {
    String uid = UUID.randomUUID().toString();
    Path directory = logs.resolve(uid);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return PodSandboxConfig.newBuilder()
        .setMetadata(
            PodSandboxMetadata.newBuilder()
                .setName("bench-" + uid.substring(0, 8))
                .setNamespace("bench")
                .setUid(uid))
        .setHostname(hostNetwork ? "" : "bench")
        .setLogDirectory(directory.toString())
        .setLinux(
            LinuxPodSandboxConfig.newBuilder()
                .setSecurityContext(
                    LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(namespaces())))
        .build();
  }

  private ContainerConfig containerConfig(LinuxContainerConfig linux) {
    LinuxContainerConfig.Builder asked = linux.toBuilder();
    asked.getSecurityContextBuilder().setNamespaceOptions(namespaces());
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName("main"))
        .setImage(ImageSpec.newBuilder().setImage(image))
        .addAllCommand(List.of("sleep", WORKLOAD))
        .setLogPath("main.log")
        .setLinux(asked)
        .build();
  }
}
