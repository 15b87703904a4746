package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.manifest.PodManifest;
import dev.peapod.pods.supervisor.Fleet.Result;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

/// Compares the pods that are asked for with those that are there, and makes or changes them: all of one call, or none.
/// Thread-safe.
final class Applier {
  private final Shared shared;
  private final Workers workers;
  /// Held while pods are compared with what is asked for and made; never while one is waited for.
  private final ReentrantLock lock = new ReentrantLock();

  Applier(Shared shared, Workers workers) {
    this.shared = shared;
    this.workers = workers;
  }

  /// @param before done once it is sure that the pods can be applied, and before they are
  Map<PodManifest, Result> apply(
      List<PodManifest> manifests, boolean replace, boolean dryRun, Runnable before)
      throws InterruptedException {
    Map<PodManifest, Result> plan = new LinkedHashMap<>();
    lock.lock();
    try {
      workers.requireOpen();
      for (PodManifest manifest : manifests) {
        plan.put(manifest, compare(manifest.pod(), replace));
      }
      HostPorts.require(shared.board(), plan.keySet().stream().map(PodManifest::pod).toList());
      if (!dryRun) {
        before.run();
        carryOut(plan);
      }
    } finally {
      lock.unlock();
    }
    if (!dryRun) {
      for (Pod pod : of(plan, Result.REPLACED)) {
        workers.awaitGone(PodKey.of(pod));
        lock.lock();
        try {
          create(pod);
        } finally {
          lock.unlock();
        }
      }
    }
    return plan;
  }

  private void carryOut(Map<PodManifest, Result> plan) throws InterruptedException {
    for (Pod pod : of(plan, Result.REPLACED)) {
      workers.tell(PodKey.of(pod), new Message.Delete(Optional.empty()));
    }
    for (Pod pod : of(plan, Result.CREATED)) {
      create(pod);
    }
    for (Pod pod : of(plan, Result.CONFIGURED)) {
      workers.ask(PodKey.of(pod), done -> new Message.Configure(pod, done));
    }
  }

  private static List<Pod> of(Map<PodManifest, Result> plan, Result result) {
    List<Pod> pods = new ArrayList<>();
    plan.forEach(
        (manifest, planned) -> {
          if (planned == result) {
            pods.add(manifest.pod());
          }
        });
    return pods;
  }

  private Result compare(Pod asked, boolean replace) throws InterruptedException {
    PodKey key = PodKey.of(asked);
    while (shared.board().get(key).isEmpty() && workers.has(key)) {
      // Its worker is just taking its leave.
      Thread.sleep(1);
    }
    Optional<PodBoard.Entry> present = shared.board().get(key);
    if (present.isEmpty()) {
      return Result.CREATED;
    }
    Pod before = EphemeralContainers.without(present.get().pod());
    if (before.getMetadata().getDeletionTimestamp() != null) {
      if (replace) {
        return Result.REPLACED;
      }
      throw new PeapodException(
          Kind.ALREADY_EXISTS, "pod " + key + " is being deleted; apply it again when it is gone");
    }
    Optional<String> forbidden = SpecChanges.forbidden(before, asked);
    if (forbidden.isPresent()) {
      if (replace) {
        return Result.REPLACED;
      }
      throw new PeapodException(
          Kind.ALREADY_EXISTS,
          "The Pod \""
              + key.name()
              + "\" is invalid: "
              + forbidden.get()
              + " (apply with --replace to delete it and make it anew)");
    }
    ObjectMeta now = asked.getMetadata();
    boolean same =
        before.getSpec().equals(asked.getSpec())
            && Objects.equals(before.getMetadata().getLabels(), now.getLabels())
            && Objects.equals(before.getMetadata().getAnnotations(), now.getAnnotations());
    return same ? Result.UNCHANGED : Result.CONFIGURED;
  }

  private void create(Pod asked) {
    PodKey key = PodKey.of(asked);
    if (workers.has(key)) {
      throw new PeapodException(
          Kind.ALREADY_EXISTS, "pod " + key + " was made by someone else meanwhile");
    }
    ObjectMeta metadata =
        new ObjectMetaBuilder(asked.getMetadata())
            .withUid(UUID.randomUUID().toString())
            .withCreationTimestamp(StatusReport.text(shared.clock().instant()))
            .build();
    Pod pod = new Pod(asked.getApiVersion(), asked.getKind(), metadata, asked.getSpec(), null);
    shared.store().savePod(pod);
    // Nothing can be there of a uid that has just been made up.
    workers.run(
        shared,
        new PodStore.Stored(pod, Optional.empty(), Optional.empty()),
        new Message.Observed(List.of(), List.of(), System.nanoTime()));
  }
}
