package dev.peapod.cri;

import com.google.protobuf.UnsafeByteOperations;
import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.ExecResult;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerFilter;
import dev.peapod.proto.runtime.v1.ContainerStatusRequest;
import dev.peapod.proto.runtime.v1.ContainerStatusResponse;
import dev.peapod.proto.runtime.v1.CreateContainerRequest;
import dev.peapod.proto.runtime.v1.CreateContainerResponse;
import dev.peapod.proto.runtime.v1.ExecSyncRequest;
import dev.peapod.proto.runtime.v1.ExecSyncResponse;
import dev.peapod.proto.runtime.v1.ListContainersRequest;
import dev.peapod.proto.runtime.v1.ListContainersResponse;
import dev.peapod.proto.runtime.v1.RemoveContainerRequest;
import dev.peapod.proto.runtime.v1.RemoveContainerResponse;
import dev.peapod.proto.runtime.v1.ReopenContainerLogRequest;
import dev.peapod.proto.runtime.v1.ReopenContainerLogResponse;
import dev.peapod.proto.runtime.v1.StartContainerRequest;
import dev.peapod.proto.runtime.v1.StartContainerResponse;
import dev.peapod.proto.runtime.v1.StopContainerRequest;
import dev.peapod.proto.runtime.v1.StopContainerResponse;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesRequest;
import dev.peapod.proto.runtime.v1.UpdateContainerResourcesResponse;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// The CRI's calls for containers.
final class ContainerCalls {
  private final PodRuntime runtime;
  private final Listing<ContainerStatus> listing = new Listing<>(ContainerStatus::id, ContainerMapping::listed);

  ContainerCalls(PodRuntime runtime) {
    this.runtime = runtime;
  }

  CreateContainerResponse create(CreateContainerRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    Refusals.required(request.hasConfig(), "config");
    String id =
        runtime.createContainer(
            request.getPodSandboxId(),
            ContainerMapping.spec(
                request.getConfig(), runtime.sandbox(request.getPodSandboxId()).spec()));
    return CreateContainerResponse.newBuilder().setContainerId(id).build();
  }

  StartContainerResponse start(StartContainerRequest request) {
    runtime.startContainer(required(request.getContainerId()));
    return StartContainerResponse.getDefaultInstance();
  }

  UpdateContainerResourcesResponse update(UpdateContainerResourcesRequest request) {
    Refusals.unsupported(request.hasWindows(), "windows");
    Refusals.required(request.hasLinux(), "linux");
    runtime.updateContainer(
        required(request.getContainerId()), ResourceMapping.spec(request.getLinux()));
    return UpdateContainerResourcesResponse.getDefaultInstance();
  }

  StopContainerResponse stop(StopContainerRequest request) {
    if (request.getTimeout() < 0) {
      throw PeapodException.invalid("timeout is negative");
    }
    runtime.stopContainer(
        required(request.getContainerId()), Duration.ofSeconds(request.getTimeout()));
    return StopContainerResponse.getDefaultInstance();
  }

  RemoveContainerResponse remove(RemoveContainerRequest request) {
    runtime.removeContainer(required(request.getContainerId()));
    return RemoveContainerResponse.getDefaultInstance();
  }

  ContainerStatusResponse status(ContainerStatusRequest request) {
    ContainerStatus container = runtime.container(required(request.getContainerId()));
    ContainerStatusResponse.Builder response =
        ContainerStatusResponse.newBuilder().setStatus(ContainerMapping.status(container));
    if (request.getVerbose()) {
      response.putInfo("info", Info.of(container, runtime.containerPlan(container.id())));
    }
    return response.build();
  }

  /// The bytes of a [ListContainersResponse].
  byte[] list(ListContainersRequest request) {
    List<ContainerStatus> all = runtime.containers();
    return listing.of(all, request.getFilter(), () -> newestFirst(all, request.getFilter()));
  }

  List<Container> listed(ContainerFilter filter) {
    return newestFirst(runtime.containers(), filter).map(ContainerMapping::listed).toList();
  }

  private static Stream<ContainerStatus> newestFirst(
      List<ContainerStatus> all, ContainerFilter filter) {
    return all.stream()
        .filter(container -> matches(filter, container))
        .sorted(Comparator.comparingLong(ContainerStatus::createdAt).reversed());
  }

  ReopenContainerLogResponse reopenLog(ReopenContainerLogRequest request) {
    runtime.reopenLog(required(request.getContainerId()));
    return ReopenContainerLogResponse.getDefaultInstance();
  }

  ExecSyncResponse execSync(ExecSyncRequest request) {
    if (request.getTimeout() < 0) {
      throw PeapodException.invalid("timeout is negative");
    }
    ExecResult result =
        runtime.exec(
            required(request.getContainerId()),
            request.getCmdList(),
            Duration.ofSeconds(request.getTimeout()));
    return ExecSyncResponse.newBuilder()
        .setStdout(UnsafeByteOperations.unsafeWrap(result.stdout()))
        .setStderr(UnsafeByteOperations.unsafeWrap(result.stderr()))
        .setExitCode(result.exitCode())
        .build();
  }

  private static String required(String id) {
    Refusals.required(!id.isEmpty(), "container_id");
    return id;
  }

  private static boolean matches(ContainerFilter filter, ContainerStatus container) {
    return container.id().startsWith(filter.getId())
        && container.sandboxId().startsWith(filter.getPodSandboxId())
        && (!filter.hasState() || filter.getState().getState() == ContainerMapping.state(container))
        && Labels.match(container.spec().labels(), filter.getLabelSelectorMap());
  }
}
