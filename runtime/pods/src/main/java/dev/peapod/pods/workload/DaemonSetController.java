package dev.peapod.pods.workload;

import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatusBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Keeps the one pod that a DaemonSet has on one machine.
final class DaemonSetController implements Controller<DaemonSet> {
  private static final String HASH = "controller-revision-hash";

  private final Hands hands;

  DaemonSetController(Hands hands) {
    this.hands = hands;
  }

  @Override
  public Optional<Instant> reconcile(DaemonSet set, Scene scene) throws InterruptedException {
    String hash = Naming.hash(set.getSpec().getTemplate(), 0);
    scene.pods(set).stream()
        .filter(pod -> PodFacts.isFinished(pod) && !hands.isGoing(pod))
        .forEach(
            pod -> {
              hands.warn(
                  set,
                  "FailedDaemonPod",
                  "Found failed daemon pod " + PodKey.of(pod) + ", will try to kill it");
              hands.delete(set, pod);
            });
    List<Pod> fresh = present(set, scene, hash, true);
    List<Pod> old = present(set, scene, hash, false);
    // One is enough, whoever made more.
    fresh.stream()
        .sorted(PodFacts.LEAST_MISSED)
        .limit(Math.max(0, fresh.size() - 1))
        .forEach(pod -> hands.delete(set, pod));
    boolean surge = surges(set.getSpec());
    if (updates(set.getSpec())) {
      boolean ready = fresh.stream().anyMatch(pod -> isAvailable(pod, set, scene));
      old.stream()
          .filter(pod -> !surge || ready || !PodFacts.isReady(pod))
          .forEach(pod -> hands.delete(set, pod));
    }
    Optional<String> problem = Optional.empty();
    boolean room = surge ? fresh.isEmpty() : scene.pods(set).isEmpty();
    if (room && (old.isEmpty() || updates(set.getSpec()))) {
      problem = create(set, hash);
    }
    report(set, hash, scene);
    return Timing.earliest(
        fresh.stream()
            .flatMap(pod -> available(pod, set).stream())
            .filter(scene.now()::isBefore)
            .min(Instant::compareTo),
        problem.map(why -> scene.now().plus(Timing.SOON)));
  }

  private List<Pod> present(DaemonSet set, Scene scene, String hash, boolean fresh) {
    return scene.pods(set).stream()
        .filter(pod -> !hands.isGoing(pod))
        .filter(pod -> PodFacts.label(pod, HASH).equals(hash) == fresh)
        .toList();
  }

  private static boolean updates(DaemonSetSpec spec) {
    return spec.getUpdateStrategy().getType().equals("RollingUpdate");
  }

  private static boolean surges(DaemonSetSpec spec) {
    return updates(spec)
        && Rollout.share(spec.getUpdateStrategy().getRollingUpdate().getMaxSurge(), 1, true) > 0;
  }

  private static Optional<Instant> available(Pod pod, DaemonSet set) {
    return PodFacts.availableAt(pod, set.getSpec().getMinReadySeconds());
  }

  private static boolean isAvailable(Pod pod, DaemonSet set, Scene scene) {
    return available(pod, set).filter(at -> !at.isAfter(scene.now())).isPresent();
  }

  private Optional<String> create(DaemonSet set, String hash) throws InterruptedException {
    PodTemplateSpec template = set.getSpec().getTemplate();
    ObjectMeta metadata =
        new ObjectMetaBuilder(template.getMetadata()).addToLabels(HASH, hash).build();
    String name = Naming.random(set.getMetadata().getName() + "-");
    return hands.create(set, name, metadata, template.getSpec());
  }

  private void report(DaemonSet set, String hash, Scene scene) {
    List<Pod> pods = scene.pods(set).stream().filter(pod -> !hands.isGoing(pod)).toList();
    int available = pods.stream().anyMatch(pod -> isAvailable(pod, set, scene)) ? 1 : 0;
    DaemonSetStatus status =
        new DaemonSetStatusBuilder()
            .withObservedGeneration(set.getMetadata().getGeneration())
            .withDesiredNumberScheduled(1)
            .withCurrentNumberScheduled(pods.isEmpty() ? 0 : 1)
            .withNumberMisscheduled(0)
            .withNumberReady(pods.stream().anyMatch(PodFacts::isReady) ? 1 : 0)
            .withNumberAvailable(available)
            .withNumberUnavailable(1 - available)
            .withUpdatedNumberScheduled(
                pods.stream().anyMatch(pod -> PodFacts.label(pod, HASH).equals(hash)) ? 1 : 0)
            .build();
    if (!status.equals(set.getStatus())) {
      hands.update(set, new DaemonSetBuilder(set).withStatus(status).build());
    }
  }
}
