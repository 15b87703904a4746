package dev.peapod.cri;

import dev.peapod.cri.streaming.StreamingServer;
import dev.peapod.cri.streaming.Ticket;
import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.proto.runtime.v1.AttachRequest;
import dev.peapod.proto.runtime.v1.AttachResponse;
import dev.peapod.proto.runtime.v1.ExecRequest;
import dev.peapod.proto.runtime.v1.ExecResponse;
import dev.peapod.proto.runtime.v1.PortForwardRequest;
import dev.peapod.proto.runtime.v1.PortForwardResponse;

/// The CRI's calls that answer the URL of a stream.
final class StreamCalls {
  private final PodRuntime runtime;
  private final StreamingServer server;

  StreamCalls(PodRuntime runtime, StreamingServer server) {
    this.runtime = runtime;
    this.server = server;
  }

  ExecResponse exec(ExecRequest request) {
    Refusals.required(!request.getContainerId().isEmpty(), "container_id");
    StreamOptions options =
        new StreamOptions(
            request.getStdin(), request.getStdout(), request.getStderr(), request.getTty());
    runtime.checkExec(request.getContainerId(), request.getCmdList());
    Ticket ticket =
        new Ticket.Command(
            "exec",
            options,
            () -> runtime.startExec(request.getContainerId(), request.getCmdList(), options));
    return ExecResponse.newBuilder().setUrl(server.url(ticket)).build();
  }

  AttachResponse attach(AttachRequest request) {
    Refusals.required(!request.getContainerId().isEmpty(), "container_id");
    StreamOptions options =
        new StreamOptions(
            request.getStdin(), request.getStdout(), request.getStderr(), request.getTty());
    runtime.checkRunning(request.getContainerId());
    Ticket ticket =
        new Ticket.Command(
            "attach", options, () -> runtime.attach(request.getContainerId(), options));
    return AttachResponse.newBuilder().setUrl(server.url(ticket)).build();
  }

  /// Most clients say the ports again for each connection.
  PortForwardResponse portForward(PortForwardRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    runtime.checkReady(request.getPodSandboxId());
    Ticket ticket =
        new Ticket.PortForward(
            request.getPortList(), port -> runtime.connect(request.getPodSandboxId(), port));
    return PortForwardResponse.newBuilder().setUrl(server.url(ticket)).build();
  }
}
