package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodKey;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.PodSandbox;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;

/// Ends a pod: its containers in parallel with the grace period, then everything that was made for
/// it. Can be done again from the start after any failure.
final class PodRemoval {
  private PodRemoval() {}

  /// Stops and removes a pod's containers and sandboxes, and its files.
  ///
  /// @param grace seconds, asked for when the containers are stopped
  static void run(Shared shared, Pod pod, LongSupplier grace)
      throws IOException, InterruptedException {
    Map<String, String> labels = Map.of(Labels.POD_UID, pod.getMetadata().getUid());
    stopContainers(shared, pod, labels, grace);
    for (PodSandbox sandbox : shared.cri().sandboxes(labels)) {
      shared.cri().stopSandbox(sandbox.getId());
    }
    for (Container container : shared.cri().containers(labels)) {
      shared.cri().removeContainer(container.getId());
    }
    for (PodSandbox sandbox : shared.cri().sandboxes(labels)) {
      shared.cri().removeSandbox(sandbox.getId());
    }
    shared.store().remove(pod, PodPaths.of(shared.config(), pod));
  }

  private static void stopContainers(
      Shared shared, Pod pod, Map<String, String> labels, LongSupplier grace)
      throws InterruptedException {
    List<Callable<Void>> stops = new ArrayList<>();
    for (Container container : shared.cri().containers(labels)) {
      if (container.getState() == ContainerState.CONTAINER_RUNNING) {
        String name = container.getMetadata().getName();
        shared.events().normal(PodKey.of(pod), name, "Killing", "Stopping container " + name);
        stops.add(
            () -> {
              shared.cri().stopContainer(container.getId(), grace.getAsLong());
              return null;
            });
      }
    }
    inParallel(stops);
  }

  static void inParallel(List<Callable<Void>> tasks) throws InterruptedException {
    if (tasks.isEmpty()) {
      return;
    }
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      RuntimeException failure = null;
      for (Future<Void> task : executor.invokeAll(tasks)) {
        try {
          task.get();
        } catch (ExecutionException e) {
          if (failure == null) {
            failure = e.getCause() instanceof RuntimeException r ? r : new IllegalStateException(e);
          }
        }
      }
      if (failure != null) {
        throw failure;
      }
    }
  }
}
