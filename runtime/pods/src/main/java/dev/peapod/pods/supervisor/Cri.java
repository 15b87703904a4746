package dev.peapod.pods.supervisor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.proto.runtime.v1.AttachRequest;
import dev.peapod.proto.runtime.v1.AuthConfig;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerEventResponse;
import dev.peapod.proto.runtime.v1.ContainerFilter;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.ExecRequest;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.GetEventsRequest;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.ImageFilter;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListImagesRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxStatsRequest;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxFilter;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import dev.peapod.proto.runtime.v1.PodSandboxStats;
import dev.peapod.proto.runtime.v1.PodSandboxStatsFilter;
import dev.peapod.proto.runtime.v1.PodSandboxStatus;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PortForwardRequest;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemoveImageRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesRequest;
import dev.peapod.proto.runtime.v1.UpdatePodSandboxResourcesRequest;
import dev.peapod.proto.runtime.v1.VersionRequest;
import dev.peapod.proto.runtime.v1.VersionResponse;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The CRI as the supervisor calls it: blocking, with deadlines, failures as [PeapodException]. An
/// interrupt cancels the call. Thread-safe.
public final class Cri {
  private static final Duration QUICK = Duration.ofSeconds(30);
  private static final Duration SLOW = Duration.ofMinutes(4);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime;
  private final ImageServiceGrpc.ImageServiceBlockingStub images;
  private volatile String name = "";

  public Cri(Channel channel) {
    this.runtime = RuntimeServiceGrpc.newBlockingStub(channel).withMaxInboundMessageSize(64 << 20);
    this.images = ImageServiceGrpc.newBlockingStub(channel).withMaxInboundMessageSize(64 << 20);
  }

  public VersionResponse version() {
    return call(() -> within(QUICK).version(VersionRequest.newBuilder().setVersion("v1").build()));
  }

  /// What the runtime calls itself, such as `containerd`: asked for once, and before anything of it can be known.
  /// Until it has said so, `unknown`.
  String name() {
    return name.isEmpty() ? "unknown" : name;
  }

  private void learnName() {
    if (name.isEmpty()) {
      name = version().getRuntimeName();
    }
  }

  List<PodSandbox> sandboxes(Map<String, String> labels) {
    return call(
        () ->
            within(QUICK)
                .listPodSandbox(
                    ListPodSandboxRequest.newBuilder()
                        .setFilter(PodSandboxFilter.newBuilder().putAllLabelSelector(labels))
                        .build())
                .getItemsList());
  }

  List<Container> containers(Map<String, String> labels) {
    learnName();
    return call(
        () ->
            within(QUICK)
                .listContainers(
                    ListContainersRequest.newBuilder()
                        .setFilter(ContainerFilter.newBuilder().putAllLabelSelector(labels))
                        .build())
                .getContainersList());
  }

  /// The sandbox of a pod that is up, if one is.
  public Optional<String> readySandbox(String uid) {
    return sandboxes(Map.of(Labels.POD_UID, uid)).stream()
        .filter(sandbox -> sandbox.getState() == PodSandboxState.SANDBOX_READY)
        .map(PodSandbox::getId)
        .findFirst();
  }

  String runSandbox(PodSandboxConfig config) {
    return call(
        () ->
            within(SLOW)
                .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build())
                .getPodSandboxId());
  }

  PodSandboxStatus sandboxStatus(String id) {
    return call(
        () ->
            within(QUICK)
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
                .getStatus());
  }

  void stopSandbox(String id) {
    ifFound(
        () ->
            within(SLOW)
                .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build()));
  }

  void removeSandbox(String id) {
    ifFound(
        () ->
            within(SLOW)
                .removePodSandbox(
                    RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build()));
  }

  String createContainer(String sandbox, ContainerConfig config, PodSandboxConfig sandboxConfig) {
    learnName();
    return call(
        () ->
            within(SLOW)
                .createContainer(
                    CreateContainerRequest.newBuilder()
                        .setPodSandboxId(sandbox)
                        .setConfig(config)
                        .setSandboxConfig(sandboxConfig)
                        .build())
                .getContainerId());
  }

  void startContainer(String id) {
    call(
        () ->
            within(SLOW)
                .startContainer(StartContainerRequest.newBuilder().setContainerId(id).build()));
  }

  /// Stops a container; one that is gone or stopped is fine.
  void stopContainer(String id, long graceSeconds) {
    ifFound(
        () ->
            within(SLOW.plusSeconds(graceSeconds))
                .stopContainer(
                    StopContainerRequest.newBuilder()
                        .setContainerId(id)
                        .setTimeout(graceSeconds)
                        .build()));
  }

  /// Changes what a running container may use.
  void updateContainer(String id, LinuxContainerResources resources) {
    call(
        () ->
            within(SLOW)
                .updateContainerResources(
                    UpdateContainerResourcesRequest.newBuilder()
                        .setContainerId(id)
                        .setLinux(resources)
                        .build()));
  }

  /// Changes what all of a pod may use together; a runtime that leaves that to others is fine.
  void updateSandbox(String id, LinuxContainerResources resources) {
    try {
      call(
          () ->
              within(SLOW)
                  .updatePodSandboxResources(
                      UpdatePodSandboxResourcesRequest.newBuilder()
                          .setPodSandboxId(id)
                          .setResources(resources)
                          .build()));
    } catch (PeapodException e) {
      if (e.kind() != Kind.UNIMPLEMENTED) {
        throw e;
      }
    }
  }

  void removeContainer(String id) {
    ifFound(
        () ->
            within(SLOW)
                .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build()));
  }

  ContainerStatus containerStatus(String id) {
    return call(
        () ->
            within(QUICK)
                .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build())
                .getStatus());
  }

  public Optional<Image> image(String reference) {
    return call(
        () -> {
          var answer =
              images
                  .withDeadlineAfter(QUICK.toMillis(), TimeUnit.MILLISECONDS)
                  .imageStatus(ImageStatusRequest.newBuilder().setImage(spec(reference)).build());
          return answer.hasImage() && !answer.getImage().getId().isEmpty()
              ? Optional.of(answer.getImage())
              : Optional.<Image>empty();
        });
  }

  /// All images, or those of one reference.
  ///
  /// @param reference empty: all
  public List<Image> images(String reference) {
    return call(
        () -> {
          ListImagesRequest.Builder request = ListImagesRequest.newBuilder();
          if (!reference.isEmpty()) {
            request.setFilter(ImageFilter.newBuilder().setImage(spec(reference)));
          }
          return images
              .withDeadlineAfter(QUICK.toMillis(), TimeUnit.MILLISECONDS)
              .listImages(request.build())
              .getImagesList();
        });
  }

  public void removeImage(String reference) {
    call(
        () ->
            images
                .withDeadlineAfter(SLOW.toMillis(), TimeUnit.MILLISECONDS)
                .removeImage(RemoveImageRequest.newBuilder().setImage(spec(reference)).build()));
  }

  /// Pulls an image for nobody in particular.
  ///
  /// @param credentials none: what the runtime is configured with
  public String pull(String reference, Optional<AuthConfig> credentials) {
    PullImageRequest.Builder request = PullImageRequest.newBuilder().setImage(spec(reference));
    credentials.ifPresent(request::setAuth);
    return call(() -> images.pullImage(request.build()).getImageRef());
  }

  /// Pulls an image, however long it takes, and answers how the runtime names it.
  String pull(String reference, PodSandboxConfig sandbox) {
    return call(
        () ->
            images
                .pullImage(
                    PullImageRequest.newBuilder()
                        .setImage(spec(reference))
                        .setSandboxConfig(sandbox)
                        .build())
                .getImageRef());
  }

  /// Runs a command in a container.
  ///
  /// @param timeout zero: none
  public ExecSyncResponse exec(String container, List<String> command, Duration timeout) {
    return call(
        () -> {
          RuntimeServiceGrpc.RuntimeServiceBlockingStub stub = runtime;
          if (timeout.isPositive()) {
            // A runtime that does not keep to the timeout does not hold up the caller.
            stub = within(timeout.plusSeconds(10));
          }
          return stub.execSync(
              ExecSyncRequest.newBuilder()
                  .setContainerId(container)
                  .addAllCmd(command)
                  .setTimeout(timeout.plusNanos(999_999_999).toSeconds())
                  .build());
        });
  }

  /// Where a command's streams are to be had, once.
  public String execUrl(
      String container, List<String> command, boolean stdin, boolean stderr, boolean tty) {
    return call(
        () ->
            within(QUICK)
                .exec(
                    ExecRequest.newBuilder()
                        .setContainerId(container)
                        .addAllCmd(command)
                        .setStdin(stdin)
                        .setStdout(true)
                        .setStderr(stderr)
                        .setTty(tty)
                        .build())
                .getUrl());
  }

  /// Where the streams of a container's main process are to be had, once.
  public String attachUrl(String container, boolean stdin, boolean stderr, boolean tty) {
    return call(
        () ->
            within(QUICK)
                .attach(
                    AttachRequest.newBuilder()
                        .setContainerId(container)
                        .setStdin(stdin)
                        .setStdout(true)
                        .setStderr(stderr)
                        .setTty(tty)
                        .build())
                .getUrl());
  }

  /// Where connections to ports of a sandbox are to be had.
  public String portForwardUrl(String sandbox, int port) {
    return call(
        () ->
            within(QUICK)
                .portForward(
                    PortForwardRequest.newBuilder()
                        .setPodSandboxId(sandbox)
                        .addPort(port)
                        .build())
                .getUrl());
  }

  /// What the sandboxes with these labels use, and their containers.
  public List<PodSandboxStats> stats(Map<String, String> labels) {
    return call(
        () ->
            within(QUICK)
                .listPodSandboxStats(
                    ListPodSandboxStatsRequest.newBuilder()
                        .setFilter(PodSandboxStatsFilter.newBuilder().putAllLabelSelector(labels))
                        .build())
                .getStatsList());
  }

  /// The process of a running container, as runtimes tell it in a verbose status.
  ///
  /// @throws PeapodException UNIMPLEMENTED if this one does not
  public int pid(String container) {
    Map<String, String> info =
        call(
            () ->
                within(QUICK)
                    .containerStatus(
                        ContainerStatusRequest.newBuilder()
                            .setContainerId(container)
                            .setVerbose(true)
                            .build())
                    .getInfoMap());
    try {
      int pid = JSON.readTree(info.getOrDefault("info", "{}")).path("pid").asInt();
      if (pid > 0) {
        return pid;
      }
    } catch (JsonProcessingException e) {
      // Not told in the usual way.
    }
    throw new PeapodException(
        Kind.UNIMPLEMENTED, "the runtime does not tell the processes of its containers");
  }

  /// The stream of container events, without end; blocks.
  Iterator<ContainerEventResponse> events() {
    return runtime.getContainerEvents(GetEventsRequest.getDefaultInstance());
  }

  static String text(ByteString bytes) {
    return bytes.toStringUtf8();
  }

  private static ImageSpec spec(String reference) {
    return ImageSpec.newBuilder().setImage(reference).setUserSpecifiedImage(reference).build();
  }

  private RuntimeServiceGrpc.RuntimeServiceBlockingStub within(Duration deadline) {
    return runtime.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static void ifFound(Supplier<?> call) {
    try {
      call(call);
    } catch (PeapodException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  private static <T> T call(Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw translated(e);
    }
  }

  static PeapodException translated(StatusRuntimeException e) {
    Status status = e.getStatus();
    String text =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    return new PeapodException(kind(status.getCode()), text, e);
  }

  private static Kind kind(Status.Code code) {
    return switch (code) {
      case INVALID_ARGUMENT, OUT_OF_RANGE -> Kind.INVALID;
      case NOT_FOUND -> Kind.NOT_FOUND;
      case ALREADY_EXISTS -> Kind.ALREADY_EXISTS;
      case FAILED_PRECONDITION, ABORTED -> Kind.FAILED_PRECONDITION;
      case PERMISSION_DENIED, UNAUTHENTICATED -> Kind.PERMISSION_DENIED;
      case RESOURCE_EXHAUSTED -> Kind.RESOURCE_EXHAUSTED;
      case UNAVAILABLE, CANCELLED -> Kind.UNAVAILABLE;
      case DEADLINE_EXCEEDED -> Kind.DEADLINE_EXCEEDED;
      case UNIMPLEMENTED -> Kind.UNIMPLEMENTED;
      case INTERNAL, UNKNOWN, DATA_LOSS, OK -> Kind.INTERNAL;
    };
  }
}
