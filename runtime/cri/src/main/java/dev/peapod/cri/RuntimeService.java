package dev.peapod.cri;

import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.engine.PodRuntime;
import dev.peapod.image.Snapshots;
import dev.peapod.proto.runtime.v1.*;
import io.grpc.ServerMethodDefinition;
import io.grpc.stub.StreamObserver;
import java.time.Clock;
import java.util.List;

/// CRI v1's RuntimeService for one owner. What it does not override answers UNIMPLEMENTED with the rpc's name.
///
/// Calls block; the server runs each on a thread of its own.
final class RuntimeService extends RuntimeServiceGrpc.RuntimeServiceImplBase {
  private final SandboxCalls sandboxes;
  private final ContainerCalls containers;
  private final StatusCalls status;
  private final StreamCalls streams;
  private final StatsCalls stats;
  private final MetricsCalls metrics;
  private final EventCalls events;
  private final CheckpointCalls checkpoints;

  RuntimeService(
      PodRuntime runtime, Snapshots snapshots, StreamingServer streaming, String version) {
    this.sandboxes = new SandboxCalls(runtime, Clock.systemUTC());
    this.containers = new ContainerCalls(runtime);
    this.status = new StatusCalls(runtime, version);
    this.streams = new StreamCalls(runtime, streaming);
    this.stats = new StatsCalls(runtime, snapshots, Clock.systemUTC());
    this.metrics = new MetricsCalls(stats);
    this.events = new EventCalls(runtime);
    this.checkpoints = new CheckpointCalls(runtime);
  }

  /// The methods that are answered by bytes: they are not among the overridden ones.
  List<ServerMethodDefinition<?, byte[]>> lists() {
    return List.of(
        Lists.method(RuntimeServiceGrpc.getListContainersMethod(), containers::list),
        Lists.method(RuntimeServiceGrpc.getListPodSandboxMethod(), sandboxes::list),
        Lists.method(
            RuntimeServiceGrpc.getListContainerStatsMethod(),
            request -> Lists.of(stats.containers(request.getFilter(), Lists::element))),
        Lists.method(
            RuntimeServiceGrpc.getListPodSandboxStatsMethod(),
            request -> Lists.of(stats.sandboxes(request.getFilter(), Lists::element))),
        Lists.method(
            RuntimeServiceGrpc.getListPodSandboxMetricsMethod(),
            request -> Lists.of(metrics.metrics(Lists::element))));
  }

  @Override
  public void version(VersionRequest request, StreamObserver<VersionResponse> answer) {
    Answers.send(answer, status.version());
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> answer) {
    Answers.send(answer, status.status(request));
  }

  @Override
  public void runtimeConfig(
      RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> answer) {
    Answers.send(answer, status.runtimeConfig());
  }

  @Override
  public void runPodSandbox(
      RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> answer) {
    Answers.send(answer, sandboxes.run(request));
  }

  @Override
  public void updatePodSandboxResources(
      UpdatePodSandboxResourcesRequest request,
      StreamObserver<UpdatePodSandboxResourcesResponse> answer) {
    Answers.send(answer, sandboxes.update(request));
  }

  @Override
  public void stopPodSandbox(
      StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> answer) {
    Answers.send(answer, sandboxes.stop(request));
  }

  @Override
  public void removePodSandbox(
      RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> answer) {
    Answers.send(answer, sandboxes.remove(request));
  }

  @Override
  public void podSandboxStatus(
      PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> answer) {
    Answers.send(answer, sandboxes.status(request));
  }

  @Override
  public void createContainer(
      CreateContainerRequest request, StreamObserver<CreateContainerResponse> answer) {
    Answers.send(answer, containers.create(request));
  }

  @Override
  public void startContainer(
      StartContainerRequest request, StreamObserver<StartContainerResponse> answer) {
    Answers.send(answer, containers.start(request));
  }

  @Override
  public void updateContainerResources(
      UpdateContainerResourcesRequest request,
      StreamObserver<UpdateContainerResourcesResponse> answer) {
    Answers.send(answer, containers.update(request));
  }

  @Override
  public void stopContainer(
      StopContainerRequest request, StreamObserver<StopContainerResponse> answer) {
    Answers.send(answer, containers.stop(request));
  }

  @Override
  public void removeContainer(
      RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> answer) {
    Answers.send(answer, containers.remove(request));
  }

  @Override
  public void containerStatus(
      ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> answer) {
    Answers.send(answer, containers.status(request));
  }

  @Override
  public void reopenContainerLog(
      ReopenContainerLogRequest request, StreamObserver<ReopenContainerLogResponse> answer) {
    Answers.send(answer, containers.reopenLog(request));
  }

  @Override
  public void checkpointContainer(
      CheckpointContainerRequest request, StreamObserver<CheckpointContainerResponse> answer) {
    Answers.send(answer, checkpoints.container(request));
  }

  @Override
  public void checkpointPod(
      CheckpointPodRequest request, StreamObserver<CheckpointPodResponse> answer) {
    Answers.send(answer, checkpoints.sandbox(request));
  }

  @Override
  public void restorePod(RestorePodRequest request, StreamObserver<RestorePodResponse> answer) {
    Answers.send(answer, checkpoints.restore(request));
  }

  @Override
  public void exec(ExecRequest request, StreamObserver<ExecResponse> answer) {
    Answers.send(answer, streams.exec(request));
  }

  @Override
  public void attach(AttachRequest request, StreamObserver<AttachResponse> answer) {
    Answers.send(answer, streams.attach(request));
  }

  @Override
  public void portForward(
      PortForwardRequest request, StreamObserver<PortForwardResponse> answer) {
    Answers.send(answer, streams.portForward(request));
  }

  @Override
  public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> answer) {
    Answers.send(answer, containers.execSync(request));
  }

  @Override
  public void containerStats(
      ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> answer) {
    Answers.send(answer, stats.container(request));
  }

  @Override
  public void streamContainerStats(
      StreamContainerStatsRequest request, StreamObserver<StreamContainerStatsResponse> answer) {
    Batches.send(
        "StreamContainerStats",
        answer,
        () -> stats.containers(request.getFilter(), one -> one),
        batch -> StreamContainerStatsResponse.newBuilder().addAllContainerStats(batch).build());
  }

  @Override
  public void podSandboxStats(
      PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> answer) {
    Answers.send(answer, stats.sandbox(request));
  }

  @Override
  public void streamPodSandboxStats(
      StreamPodSandboxStatsRequest request, StreamObserver<StreamPodSandboxStatsResponse> answer) {
    Batches.send(
        "StreamPodSandboxStats",
        answer,
        () -> stats.sandboxes(request.getFilter(), one -> one),
        batch -> StreamPodSandboxStatsResponse.newBuilder().addAllPodSandboxStats(batch).build());
  }

  @Override
  public void listMetricDescriptors(
      ListMetricDescriptorsRequest request, StreamObserver<ListMetricDescriptorsResponse> answer) {
    Answers.send(
        answer,
        ListMetricDescriptorsResponse.newBuilder()
            .addAllDescriptors(MetricsCalls.descriptors())
            .build());
  }

  @Override
  public void streamPodSandboxMetrics(
      StreamPodSandboxMetricsRequest request,
      StreamObserver<StreamPodSandboxMetricsResponse> answer) {
    Batches.send(
        "StreamPodSandboxMetrics",
        answer,
        () -> metrics.metrics(one -> one),
        batch ->
            StreamPodSandboxMetricsResponse.newBuilder().addAllPodSandboxMetrics(batch).build());
  }

  @Override
  public void streamPodSandboxes(
      StreamPodSandboxesRequest request, StreamObserver<StreamPodSandboxesResponse> answer) {
    Batches.send(
        "StreamPodSandboxes",
        answer,
        () -> sandboxes.listed(request.getFilter()),
        batch -> StreamPodSandboxesResponse.newBuilder().addAllPodSandboxes(batch).build());
  }

  @Override
  public void streamContainers(
      StreamContainersRequest request, StreamObserver<StreamContainersResponse> answer) {
    Batches.send(
        "StreamContainers",
        answer,
        () -> containers.listed(request.getFilter()),
        batch -> StreamContainersResponse.newBuilder().addAllContainers(batch).build());
  }

  @Override
  public void getContainerEvents(
      GetEventsRequest request, StreamObserver<ContainerEventResponse> answer) {
    events.events(answer);
  }

  @Override
  public void updateRuntimeConfig(
      UpdateRuntimeConfigRequest request, StreamObserver<UpdateRuntimeConfigResponse> answer) {
    Answers.send(answer, status.updateRuntimeConfig(request));
  }
}
