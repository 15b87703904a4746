package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.proto.runtime.v1.ContainerState;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;

/// Stops what runs of a pod in Kubernetes' order: the containers together, then the sidecars one by
/// one, the last one first, all within one grace period.
final class PodStop {
  private static final long LEAST_SECONDS = 2;

  private PodStop() {}

  /// @param grace seconds for all; asked for again, so that it can be shortened meanwhile
  static void run(Shared shared, Pod pod, LongSupplier grace) throws InterruptedException {
    Map<String, String> labels = Map.of(Labels.POD_UID, pod.getMetadata().getUid());
    Map<String, dev.peapod.proto.runtime.v1.Container> running = new HashMap<>();
    for (var container : shared.cri().containers(labels)) {
      if (container.getState() == ContainerState.CONTAINER_RUNNING) {
        running.put(container.getMetadata().getName(), container);
      }
    }
    long begun = System.nanoTime();
    LongSupplier rest =
        () -> {
          long whole = grace.getAsLong();
          long used = (System.nanoTime() - begun) / 1_000_000_000L;
          return Math.max(whole - used, Math.min(whole, LEAST_SECONDS));
        };
    List<Container> sidecars = new ArrayList<>();
    List<Callable<Void>> stops = new ArrayList<>();
    for (Container init : pod.getSpec().getInitContainers()) {
      if (RestartRules.isSidecar(init)) {
        sidecars.addFirst(init);
      } else {
        stop(shared, pod, running, init, rest).ifPresent(stops::add);
      }
    }
    for (List<Container> others :
        List.of(pod.getSpec().getContainers(), EphemeralContainers.of(pod))) {
      for (Container container : others) {
        stop(shared, pod, running, container, rest).ifPresent(stops::add);
      }
    }
    inParallel(stops);
    for (Container sidecar : sidecars) {
      inParallel(stop(shared, pod, running, sidecar, rest).stream().toList());
    }
  }

  private static Optional<Callable<Void>> stop(
      Shared shared,
      Pod pod,
      Map<String, dev.peapod.proto.runtime.v1.Container> running,
      Container spec,
      LongSupplier grace) {
    var container = running.get(spec.getName());
    if (container == null) {
      return Optional.empty();
    }
    return Optional.of(
        () -> {
          shared
              .events()
              .normal(
                  PodKey.of(pod),
                  spec.getName(),
                  "Killing",
                  "Stopping container " + spec.getName());
          String ip = pod.getStatus() == null ? "" : pod.getStatus().getPodIP();
          Hooks.stop(shared, pod, spec, container.getId(), ip == null ? "" : ip, grace);
          return null;
        });
  }

  private static void inParallel(List<Callable<Void>> tasks) throws InterruptedException {
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
