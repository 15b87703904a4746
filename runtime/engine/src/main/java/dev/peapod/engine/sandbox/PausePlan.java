package dev.peapod.engine.sandbox;

import dev.peapod.engine.launch.CgroupEntry;
import dev.peapod.engine.launch.CloneFlags;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.MountAttributes;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.PlanKind;
import dev.peapod.engine.launch.Stage;
import dev.peapod.engine.model.NamespaceMode;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SelinuxLabel;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.security.SelinuxContext;
import dev.peapod.linux.Fd;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Makes the launch plan of a pod's pause process.
final class PausePlan {
  private static final byte[] OOM_SCORE = "-998".getBytes(StandardCharsets.US_ASCII);
  private static final List<String> SHM = List.of("source=shm", "size=67108864", "mode=1777");

  private PausePlan() {}

  /// @param network the network namespace that pause joins; without it, one of its own if the spec asks for that
  /// @throws dev.peapod.error.PeapodException INVALID if it asks for an SELinux label that the kernel has not
  static LaunchPlan of(
      SandboxSpec spec, String hostname, CgroupEntry cgroup, Optional<Fd> network) {
    LaunchPlan.Builder plan = LaunchPlan.of(PlanKind.PAUSE);
    OptionalInt joined =
        network.isPresent() ? OptionalInt.of(plan.give(network.get())) : OptionalInt.empty();
    cgroup.enter(plan);
    plan.add(new Operation.Write("/proc/self/oom_score_adj", OOM_SCORE, true));
    long flags = CloneFlags.NEWNS;
    boolean ownNetwork = spec.network() != NamespaceMode.NODE;
    if (ownNetwork) {
      flags |= joined.isPresent() ? CloneFlags.NEWUTS : CloneFlags.NEWNET | CloneFlags.NEWUTS;
    }
    if (spec.ipc() != NamespaceMode.NODE) {
      flags |= CloneFlags.NEWIPC;
    }
    if (spec.pid() != NamespaceMode.NODE) {
      flags |= CloneFlags.NEWPID;
    }
    plan.add(new Operation.Namespaces(flags));
    UserNamespace users = spec.userNamespace();
    List<String> shmOptions = new ArrayList<>(SHM);
    if (users != null) {
      shmOptions.add("uid=" + users.uids().first());
      shmOptions.add("gid=" + users.gids().first());
    }
    SelinuxLabel label = spec.selinux();
    if (label != null) {
      String field = "sandbox: security_context.selinux_options";
      shmOptions.add("context=" + SelinuxContext.of(field, label).files());
    }
    int shm = plan.slot();
    plan.add(
        new Operation.MountNew(
            Stage.HOST,
            shm,
            "tmpfs",
            shmOptions,
            MountAttributes.NOSUID | MountAttributes.NODEV | MountAttributes.NOEXEC));
    plan.add(new Operation.Setns(Stage.POD, Operation.TEMPLATE, CloneFlags.NEWNS));
    if (users != null) {
      // Joined before pause is cloned, so that its other namespaces belong to this one.
      int own = plan.slot();
      plan.add(new Operation.UserNamespace(own, users.uids().map(), users.gids().map()));
      plan.add(new Operation.Setns(Stage.POD, own, CloneFlags.NEWUSER));
    }
    joined.ifPresent(
        slot -> plan.add(new Operation.Setns(Stage.POD, slot, CloneFlags.NEWNET)));
    plan.add(
        new Operation.Attach(
            Stage.PROCESS, shm, Operation.PRESENT_ROOT, "/shm", Operation.TargetKind.EXISTING));
    if (ownNetwork) {
      plan.add(new Operation.Hostname(hostname));
    }
    spec.sysctls().forEach((name, value) -> plan.add(new Operation.Sysctl(name, value)));
    if (users != null) {
      plan.add(new Operation.Groups(List.of()));
      plan.add(new Operation.Ids(0, 0));
    }
    plan.add(new Operation.ExecPause());
    return plan.build();
  }
}
