package dev.peapod.cri;

import dev.peapod.engine.PodRuntime;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.CheckpointContainerRequest;
import dev.peapod.proto.runtime.v1.CheckpointContainerResponse;
import dev.peapod.proto.runtime.v1.CheckpointPodRequest;
import dev.peapod.proto.runtime.v1.CheckpointPodResponse;
import dev.peapod.proto.runtime.v1.RestorePodRequest;
import dev.peapod.proto.runtime.v1.RestorePodResponse;
import java.nio.file.Path;

/// The CRI's calls for checkpoints. This version makes none: what is wrong with a request is told first, then why there
/// is no checkpoint.
final class CheckpointCalls {
  private final PodRuntime runtime;

  CheckpointCalls(PodRuntime runtime) {
    this.runtime = runtime;
  }

  CheckpointContainerResponse container(CheckpointContainerRequest request) {
    Refusals.required(!request.getContainerId().isEmpty(), "container_id");
    absolute(request.getLocation(), "location");
    if (request.getTimeout() < 0) {
      throw PeapodException.invalid("timeout is negative");
    }
    runtime.checkRunning(request.getContainerId());
    throw none("container " + request.getContainerId() + " can not be saved");
  }

  CheckpointPodResponse sandbox(CheckpointPodRequest request) {
    Refusals.required(!request.getPodSandboxId().isEmpty(), "pod_sandbox_id");
    absolute(request.getOutputPath(), "output_path");
    runtime.checkReady(request.getPodSandboxId());
    request.getContainerIdsList().forEach(runtime::checkRunning);
    throw none("sandbox " + request.getPodSandboxId() + " can not be saved");
  }

  RestorePodResponse restore(RestorePodRequest request) {
    absolute(request.getCheckpointPath(), "checkpoint_path");
    Refusals.required(request.hasConfig(), "config");
    SandboxMapping.spec(request.getConfig(), request.getRuntimeHandler());
    throw none("a pod can not be restored from " + request.getCheckpointPath());
  }

  private static void absolute(String path, String field) {
    Refusals.required(!path.isEmpty(), field);
    if (path.indexOf('\0') >= 0 || !Path.of(path).isAbsolute()) {
      throw PeapodException.invalid(field + " is not an absolute path: " + path);
    }
  }

  private static PeapodException none(String what) {
    return new PeapodException(
        PeapodException.Kind.FAILED_PRECONDITION,
        what + ": this version of Peapod has no checkpoints, with criu or without");
  }
}
