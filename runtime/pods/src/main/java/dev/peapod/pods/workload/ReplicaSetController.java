package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetCondition;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetConditionBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatusBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Keeps as many pods of one template as a ReplicaSet asks for.
final class ReplicaSetController implements Controller<ReplicaSet> {
  private final Hands hands;

  ReplicaSetController(Hands hands) {
    this.hands = hands;
  }

  @Override
  public Optional<Instant> reconcile(ReplicaSet set, Scene scene) throws InterruptedException {
    // What has failed for good (evicted, past a deadline) is of no more use.
    scene.pods(set).stream()
        .filter(pod -> PodFacts.isFinished(pod) && !hands.isGoing(pod))
        .forEach(pod -> hands.delete(set, pod));
    List<Pod> active = scene.pods(set).stream().filter(pod -> !hands.isGoing(pod)).toList();
    int wanted = set.getSpec().getReplicas();
    active.stream()
        .sorted(PodFacts.LEAST_MISSED)
        .limit(Math.max(0, active.size() - wanted))
        .forEach(pod -> hands.delete(set, pod));
    Optional<String> problem = Optional.empty();
    PodTemplateSpec template = set.getSpec().getTemplate();
    for (int i = active.size(); i < wanted && problem.isEmpty(); i++) {
      String name = Naming.random(set.getMetadata().getName() + "-");
      problem = hands.create(set, name, template.getMetadata(), template.getSpec());
    }
    return report(set, active.stream().filter(pod -> !hands.isGoing(pod)).toList(), problem, scene);
  }

  private Optional<Instant> report(
      ReplicaSet set, List<Pod> active, Optional<String> problem, Scene scene) {
    Integer minReady = set.getSpec().getMinReadySeconds();
    List<Instant> times =
        active.stream().flatMap(pod -> PodFacts.availableAt(pod, minReady).stream()).toList();
    int available = (int) times.stream().filter(at -> !at.isAfter(scene.now())).count();
    ReplicaSetStatus before = set.getStatus();
    ReplicaSetStatus status =
        new ReplicaSetStatusBuilder()
            .withReplicas(active.size())
            .withFullyLabeledReplicas(active.size())
            .withReadyReplicas(times.size())
            .withAvailableReplicas(available)
            .withObservedGeneration(set.getMetadata().getGeneration())
            .withConditions(problem.map(why -> failure(before, why, scene.now())).stream().toList())
            .build();
    if (!status.equals(before)) {
      hands.update(set, new ReplicaSetBuilder(set).withStatus(status).build());
    }
    return Timing.earliest(
        times.stream().filter(scene.now()::isBefore).min(Instant::compareTo),
        problem.map(why -> scene.now().plus(Timing.SOON)));
  }

  private static ReplicaSetCondition failure(
      @Nullable ReplicaSetStatus before, String why, Instant now) {
    String since =
        before == null || before.getConditions().isEmpty()
            ? Timing.text(now)
            : before.getConditions().getFirst().getLastTransitionTime();
    return new ReplicaSetConditionBuilder()
        .withType("ReplicaFailure")
        .withStatus("True")
        .withReason("FailedCreate")
        .withMessage(why)
        .withLastTransitionTime(since)
        .build();
  }
}
