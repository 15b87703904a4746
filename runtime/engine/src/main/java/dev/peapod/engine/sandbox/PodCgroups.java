package dev.peapod.engine.sandbox;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Spawner;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Pidfd;
import dev.peapod.linux.Pipes;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.Cgroups;
import dev.peapod.linux.cgroup.SystemdCgroups;

/// Where in the machine's cgroups pods are: each has one that its limits are those of, and below it, or below a scope in
/// it where systemd has the cgroups, one for pause and one for each container.
final class PodCgroups {
  private static final String PAUSE = "pause-";

  private final Cgroups cgroups;
  private final Spawner spawner;
  private final String parent;

  /// @param parent where pods are placed that name none
  PodCgroups(Cgroups cgroups, Spawner spawner, String parent) {
    this.cgroups = cgroups;
    this.spawner = spawner;
    this.parent = parent;
  }

  /// The pod's own cgroup.
  ///
  /// @throws PeapodException INVALID if the request names one in a way that is not this machine's driver's
  String of(SandboxSpec spec, String id) {
    if (spec.cgroupParent().isEmpty()) {
      return ofNoParent(id);
    }
    try {
      return cgroups.driver().path(spec.cgroupParent());
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), "sandbox: cgroup_parent: " + e.getMessage(), e);
    }
  }

  /// That of a pod that names no parent.
  String ofNoParent(String id) {
    return cgroups.driver().child(parent, id);
  }

  /// Where pause is. Version 2 has no processes in groups that have groups with controllers below them.
  String ofPause(String cgroup, String id) {
    return cgroups.version() == 2 ? cgroups.driver().members(cgroup, id) + "/" + PAUSE + id : cgroup;
  }

  /// The group that pause is to be born in.
  ///
  /// @param keeper what keeps the group there until pause lives
  record Birthplace(Cgroup cgroup, Runnable keeper) implements AutoCloseable {
    /// Lets go of what has kept the group there.
    @Override
    public void close() {
      keeper.run();
    }
  }

  /// Makes what there has to be in the pod's own group before pause is born.
  Birthplace prepare(Cgroup pod, String id) {
    String members = cgroups.driver().members(pod.path(), id);
    if (!members.equals(pod.path()) && cgroups instanceof SystemdCgroups systemd) {
      return scope(systemd, members, id);
    }
    return new Birthplace(cgroups.version() == 2 ? pod.subgroup(PAUSE + id) : pod, () -> {});
  }

  /// A scope is there as long as a process is in it, so until pause is, one holds its place that ends with its pipe.
  private Birthplace scope(SystemdCgroups systemd, String members, String id) {
    Pipes.Pipe life = Pipes.create();
    try {
      LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.HOLDER);
      plan.add(new Operation.Await(plan.give(life.read())));
      try (Pidfd holder = spawner.launch(plan.build()).process()) {
        Cgroup scope = systemd.createScope(members, holder.pid());
        return new Birthplace(scope.subgroup(PAUSE + id), life::close);
      }
    } catch (RuntimeException e) {
      life.close();
      throw e;
    }
  }

  /// Removes what [#prepare(Cgroup, String)] made; it and what is below has no processes any more.
  void removeMembers(String cgroup, String id) {
    String members = cgroups.driver().members(cgroup, id);
    if (!members.equals(cgroup)) {
      cgroups.open(members).remove();
    } else if (cgroups.version() == 2) {
      cgroups.open(ofPause(cgroup, id)).remove();
    }
  }
}
