package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.proto.runtime.v1.ListPodSandboxRequest;
import dev.peapod.proto.runtime.v1.ListPodSandboxResponse;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxFilter;
import dev.peapod.proto.runtime.v1.PodSandboxStatusRequest;
import dev.peapod.proto.runtime.v1.PodSandboxStatusResponse;
import dev.peapod.proto.runtime.v1.RemovePodSandboxRequest;
import dev.peapod.proto.runtime.v1.RemovePodSandboxResponse;
import dev.peapod.proto.runtime.v1.RunPodSandboxRequest;
import dev.peapod.proto.runtime.v1.RunPodSandboxResponse;
import dev.peapod.proto.runtime.v1.StopPodSandboxRequest;
import dev.peapod.proto.runtime.v1.StopPodSandboxResponse;
import dev.peapod.proto.runtime.v1.UpdatePodSandboxResourcesRequest;
import dev.peapod.proto.runtime.v1.UpdatePodSandboxResourcesResponse;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// The CRI's calls for sandboxes.
final class SandboxCalls {
  private final PodRuntime runtime;
  private final Clock clock;
  private final Listing<SandboxStatus> listing = new Listing<>(SandboxStatus::id, SandboxMapping::listed);

  SandboxCalls(PodRuntime runtime, Clock clock) {
    this.runtime = runtime;
    this.clock = clock;
  }

  RunPodSandboxResponse run(RunPodSandboxRequest request) {
    Refusals.required(request.hasConfig(), "config");
    String id =
        runtime.runSandbox(SandboxMapping.spec(request.getConfig(), request.getRuntimeHandler()));
    return RunPodSandboxResponse.newBuilder().setPodSandboxId(id).build();
  }

  UpdatePodSandboxResourcesResponse update(UpdatePodSandboxResourcesRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    runtime.updateSandbox(
        request.getPodSandboxId(),
        ResourceMapping.sum(request.getResources(), request.getOverhead()));
    return UpdatePodSandboxResourcesResponse.getDefaultInstance();
  }

  StopPodSandboxResponse stop(StopPodSandboxRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    runtime.stopSandbox(request.getPodSandboxId());
    return StopPodSandboxResponse.getDefaultInstance();
  }

  RemovePodSandboxResponse remove(RemovePodSandboxRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    runtime.removeSandbox(request.getPodSandboxId());
    return RemovePodSandboxResponse.getDefaultInstance();
  }

  PodSandboxStatusResponse status(PodSandboxStatusRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    // Taken first: what is told is not older than that.
    long at = Nanos.now(clock);
    SandboxStatus sandbox = runtime.sandbox(request.getPodSandboxId());
    PodSandboxStatusResponse.Builder response =
        PodSandboxStatusResponse.newBuilder()
            .setTimestamp(at)
            .setStatus(SandboxMapping.status(sandbox))
            .addAllContainersStatuses(
                runtime.containersOf(sandbox.id()).stream().map(ContainerMapping::status).toList());
    if (request.getVerbose()) {
      response.putInfo("info", Info.of(sandbox, runtime.sandboxPlan(sandbox.id())));
    }
    return response.build();
  }

  /// The bytes of a [ListPodSandboxResponse].
  byte[] list(ListPodSandboxRequest request) {
    List<SandboxStatus> all = runtime.sandboxes();
    return listing.of(all, request.getFilter(), () -> newestFirst(all, request.getFilter()));
  }

  List<PodSandbox> listed(PodSandboxFilter filter) {
    return newestFirst(runtime.sandboxes(), filter).map(SandboxMapping::listed).toList();
  }

  private static Stream<SandboxStatus> newestFirst(
      List<SandboxStatus> all, PodSandboxFilter filter) {
    return all.stream()
        .filter(sandbox -> matches(filter, sandbox))
        .sorted(Comparator.comparingLong(SandboxStatus::createdAt).reversed());
  }

  private static boolean matches(PodSandboxFilter filter, SandboxStatus sandbox) {
    return sandbox.id().startsWith(filter.getId())
        && (!filter.hasState()
            || filter.getState().getState() == SandboxMapping.state(sandbox))
        && Labels.match(sandbox.spec().labels(), filter.getLabelSelectorMap());
  }
}
