package dev.peapod.pods.workload;

import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.workload.Rollout.Side;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDeployment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// Moves a Deployment's pods from its old templates to its present one: it says how many pods each
/// of its ReplicaSets is to have.
final class DeploymentController implements Controller<Deployment> {
  private final Hands hands;

  DeploymentController(Hands hands) {
    this.hands = hands;
  }

  @Override
  public Optional<Instant> reconcile(Deployment deployment, Scene scene) {
    List<ReplicaSet> all =
        scene.owned(deployment, ReplicaSet.class).stream().sorted(Revisions.OLDEST).toList();
    Optional<ReplicaSet> fresh = Revisions.fresh(deployment, all);
    if (Boolean.TRUE.equals(deployment.getSpec().getPaused())) {
      scalePaused(deployment, all);
    } else if (fresh.isEmpty()) {
      ReplicaSet made = Revisions.create(deployment, all);
      hands.put(
          deployment,
          made,
          made.getSpec().getTemplate().getMetadata().getLabels(),
          Revisions.annotations(deployment, Revisions.next(all)));
      // At once: a set that asks for no pods would end those that it finds and nobody has.
      roll(deployment, made, Stream.concat(all.stream(), Stream.of(made)).toList(), scene);
      return report(deployment, Optional.of(made), all, scene, "NewReplicaSetCreated");
    } else if (Revisions.revision(fresh.get()) + 1 < Revisions.next(all)) {
      // An earlier template has come back.
      hands.update(
          fresh.get(),
          new ReplicaSetBuilder(fresh.get())
              .editMetadata()
              .addToAnnotations(Revisions.annotations(deployment, Revisions.next(all)))
              .endMetadata()
              .build());
      return report(deployment, fresh, all, scene, "FoundNewReplicaSet");
    } else {
      roll(deployment, fresh.get(), all, scene);
    }
    return report(deployment, fresh, all, scene, "");
  }

  private void roll(Deployment deployment, ReplicaSet fresh, List<ReplicaSet> all, Scene scene) {
    DeploymentSpec spec = deployment.getSpec();
    List<ReplicaSet> old = all.stream().filter(set -> set != fresh && isInUse(set)).toList();
    if (spec.getStrategy().getType().equals("Recreate")) {
      old.forEach(set -> scale(deployment, set, 0));
      boolean gone =
          all.stream().filter(set -> set != fresh).allMatch(set -> scene.pods(set).isEmpty());
      scale(deployment, fresh, gone ? spec.getReplicas() : fresh.getSpec().getReplicas());
    } else {
      Rollout rollout = rollout(spec);
      List<Side> sides = old.stream().map(DeploymentController::side).toList();
      int wanted = rollout.fresh(side(fresh), sides);
      List<Integer> left = rollout.old(new Side(wanted, side(fresh).available()), sides);
      scale(deployment, fresh, wanted);
      for (int i = 0; i < old.size(); i++) {
        scale(deployment, old.get(i), left.get(i));
      }
    }
    forgetHistory(deployment, fresh, all);
  }

  static Rollout rollout(DeploymentSpec spec) {
    RollingUpdateDeployment rolling = spec.getStrategy().getRollingUpdate();
    return rolling == null
        ? new Rollout(spec.getReplicas(), 0, 0)
        : Rollout.of(spec.getReplicas(), rolling.getMaxSurge(), rolling.getMaxUnavailable());
  }

  private static Side side(ReplicaSet set) {
    int available = set.getStatus() == null ? 0 : set.getStatus().getAvailableReplicas();
    return new Side(set.getSpec().getReplicas(), available);
  }

  private static boolean isInUse(ReplicaSet set) {
    return set.getSpec().getReplicas() > 0
        || (set.getStatus() != null && set.getStatus().getReplicas() > 0);
  }

  /// Where one template alone is in use, its pods follow the number that is asked for.
  private void scalePaused(Deployment deployment, List<ReplicaSet> all) {
    List<ReplicaSet> used = all.stream().filter(DeploymentController::isInUse).toList();
    if (used.size() == 1) {
      scale(deployment, used.getFirst(), deployment.getSpec().getReplicas());
    }
  }

  private void scale(Deployment deployment, ReplicaSet set, int replicas) {
    int before = set.getSpec().getReplicas();
    Integer minReady = deployment.getSpec().getMinReadySeconds();
    if (before == replicas && Objects.equals(set.getSpec().getMinReadySeconds(), minReady)) {
      return;
    }
    boolean done =
        hands.update(
            set,
            new ReplicaSetBuilder(set)
                .editMetadata()
                .withGeneration(set.getMetadata().getGeneration() + 1)
                .endMetadata()
                .editSpec()
                .withReplicas(replicas)
                .withMinReadySeconds(minReady)
                .endSpec()
                .build());
    if (done && before != replicas) {
      hands.tell(
          deployment,
          "ScalingReplicaSet",
          "Scaled "
              + (replicas > before ? "up" : "down")
              + " replica set "
              + set.getMetadata().getName()
              + " from "
              + before
              + " to "
              + replicas);
    }
  }

  private void forgetHistory(Deployment deployment, ReplicaSet fresh, List<ReplicaSet> all) {
    List<ReplicaSet> unused = all.stream().filter(set -> set != fresh && !isInUse(set)).toList();
    int most = deployment.getSpec().getRevisionHistoryLimit();
    unused.stream()
        .limit(Math.max(0, unused.size() - most))
        .forEach(set -> hands.delete(ObjectKey.of(set)));
  }

  /// @param news what the pass has found out about the present template; empty if nothing
  private Optional<Instant> report(
      Deployment deployment,
      Optional<ReplicaSet> fresh,
      List<ReplicaSet> all,
      Scene scene,
      String news) {
    List<ReplicaSet> sets = new ArrayList<>(all);
    if (fresh.isPresent() && !sets.contains(fresh.get())) {
      sets.add(fresh.get());
    }
    DeploymentReport report = new DeploymentReport(deployment, fresh, sets, scene.now());
    DeploymentStatus status = report.status(news);
    if (!status.equals(deployment.getStatus())) {
      hands.update(deployment, new DeploymentBuilder(deployment).withStatus(status).build());
    }
    return Timing.future(report.deadline(status), scene.now());
  }
}
