package dev.peapod.cri;

import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.engine.PodRuntime;
import dev.peapod.proto.runtime.v1.*;
import io.grpc.stub.StreamObserver;

/// CRI v1's RuntimeService for one owner. What it does not override answers UNIMPLEMENTED with the rpc's name.
///
/// Calls block; the server runs each on a thread of its own.
final class RuntimeService extends RuntimeServiceGrpc.RuntimeServiceImplBase {
  private final SandboxCalls sandboxes;
  private final ContainerCalls containers;
  private final StatusCalls status;
  private final StreamCalls streams;

  RuntimeService(PodRuntime runtime, StreamingServer streaming, String version) {
    this.sandboxes = new SandboxCalls(runtime);
    this.containers = new ContainerCalls(runtime);
    this.status = new StatusCalls(version);
    this.streams = new StreamCalls(runtime, streaming);
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
  public void listPodSandbox(
      ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> answer) {
    Answers.send(answer, sandboxes.list(request));
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
  public void listContainers(
      ListContainersRequest request, StreamObserver<ListContainersResponse> answer) {
    Answers.send(answer, containers.list(request));
  }

  @Override
  public void reopenContainerLog(
      ReopenContainerLogRequest request, StreamObserver<ReopenContainerLogResponse> answer) {
    Answers.send(answer, containers.reopenLog(request));
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
}
