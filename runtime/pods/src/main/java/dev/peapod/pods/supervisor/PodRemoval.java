package dev.peapod.pods.supervisor;

import dev.peapod.pods.volume.PodVolumes;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.PodSandbox;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.util.Map;
import java.util.function.LongSupplier;

/// Ends a pod: its containers with the grace period, then everything that was made for it. Can be
// done again from the start after any failure.
final class PodRemoval {
  private PodRemoval() {}

  /// Stops and removes a pod's containers and sandboxes, and its files.
  ///
  /// @param grace seconds, asked for when the containers are stopped
  static void run(Shared shared, Pod pod, LongSupplier grace)
      throws IOException, InterruptedException {
    Map<String, String> labels = Map.of(Labels.POD_UID, pod.getMetadata().getUid());
    PodStop.run(shared, pod, grace);
    for (PodSandbox sandbox : shared.cri().sandboxes(labels)) {
      shared.cri().stopSandbox(sandbox.getId());
    }
    for (Container container : shared.cri().containers(labels)) {
      shared.cri().removeContainer(container.getId());
    }
    for (PodSandbox sandbox : shared.cri().sandboxes(labels)) {
      shared.cri().removeSandbox(sandbox.getId());
    }
    PodPaths paths = PodPaths.of(shared.config(), pod);
    new PodVolumes(paths.directory(), shared.objects()).unmount();
    shared.store().remove(pod, paths);
  }
}
