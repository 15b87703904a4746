package dev.peapod.pods.supervisor;

import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerEventResponse;
import dev.peapod.proto.runtime.v1.ContainerFilter;
import dev.peapod.proto.runtime.v1.ContainerStatus;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.GetEventsRequest;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.ImageServiceGrpc;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.ImageStatusRequest;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxFilter;
import dev.peapod.proto.runtime.v1.PodSandboxStatus;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PullImageRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
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

  private final RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime;
  private final ImageServiceGrpc.ImageServiceBlockingStub images;

  public Cri(Channel channel) {
    this.runtime = RuntimeServiceGrpc.newBlockingStub(channel).withMaxInboundMessageSize(64 << 20);
    this.images = ImageServiceGrpc.newBlockingStub(channel).withMaxInboundMessageSize(64 << 20);
  }

  public VersionResponse version() {
    return call(() -> within(QUICK).version(VersionRequest.newBuilder().setVersion("v1").build()));
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
    return call(
        () ->
            within(QUICK)
                .listContainers(
                    ListContainersRequest.newBuilder()
                        .setFilter(ContainerFilter.newBuilder().putAllLabelSelector(labels))
                        .build())
                .getContainersList());
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

  Optional<Image> image(String reference) {
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
