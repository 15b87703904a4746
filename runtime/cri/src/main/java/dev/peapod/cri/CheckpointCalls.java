package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.CheckpointContainerRequest;
import dev.peapod.proto.runtime.v1.CheckpointContainerResponse;
import dev.peapod.proto.runtime.v1.CheckpointPodRequest;
import dev.peapod.proto.runtime.v1.CheckpointPodResponse;
import dev.peapod.proto.runtime.v1.RestorePodRequest;
import dev.peapod.proto.runtime.v1.RestorePodResponse;
import dev.peapod.proto.runtime.v1.RestoredContainer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// The CRI's calls for checkpoints.
final class CheckpointCalls {
  /// Where the request says none; of each container.
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  private final PodRuntime runtime;

  CheckpointCalls(PodRuntime runtime) {
    this.runtime = runtime;
  }

  CheckpointContainerResponse container(CheckpointContainerRequest request) {
    Refusals.required(!request.getContainerId().isEmpty(), "container_id");
    Path location = absolute(request.getLocation(), "location");
    if (request.getTimeout() < 0) {
      throw PeapodException.invalid("timeout is negative");
    }
    Duration timeout =
        request.getTimeout() == 0 ? TIMEOUT : Duration.ofSeconds(Math.min(request.getTimeout(), Integer.MAX_VALUE));
    runtime.saveContainer(request.getContainerId(), location, timeout);
    return CheckpointContainerResponse.getDefaultInstance();
  }

  CheckpointPodResponse sandbox(CheckpointPodRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    Path location = absolute(request.getOutputPath(), "output_path");
    noOptions(request.getOptionsMap());
    runtime.saveSandbox(
        request.getPodSandboxId(), request.getContainerIdsList(), location, TIMEOUT);
    return CheckpointPodResponse.getDefaultInstance();
  }

  RestorePodResponse restore(RestorePodRequest request) {
    Path checkpoint = absolute(request.getCheckpointPath(), "checkpoint_path");
    Refusals.required(request.hasConfig(), "config");
    SandboxSpec sandbox = SandboxMapping.spec(request.getConfig(), request.getRuntimeHandler());
    noOptions(request.getOptionsMap());
    Refusals.required(request.getContainerConfigsCount() > 0, "container_configs");
    List<ContainerSpec> containers =
        request.getContainerConfigsList().stream().map(config -> ContainerMapping.spec(config, sandbox)).toList();
    PodRuntime.RestoredPod pod = runtime.restorePod(checkpoint, sandbox, containers);
    RestorePodResponse.Builder response =
        RestorePodResponse.newBuilder().setPodSandboxId(pod.sandboxId());
    for (ContainerStatus container : pod.containers()) {
      response.addRestoredContainers(
          RestoredContainer.newBuilder()
              .setName(container.spec().name())
              .setContainerId(container.id()));
    }
    return response.build();
  }

  private static void noOptions(Map<String, String> options) {
    if (!options.isEmpty()) {
      throw PeapodException.invalid(
          "options: \"" + options.keySet().iterator().next() + "\" is not known; there are none");
    }
  }

  private static Path absolute(String path, String field) {
    Refusals.required(!path.isEmpty(), field);
    if (path.indexOf('\0') >= 0 || !Path.of(path).isAbsolute()) {
      throw PeapodException.invalid(field + " is not an absolute path: " + path);
    }
    return Path.of(path).normalize();
  }
}
