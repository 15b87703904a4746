package dev.peapod.engine.container;

import dev.peapod.engine.launch.CloneFlags;
import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.launch.Stage;
import dev.peapod.engine.model.UserNamespace;
import dev.peapod.engine.security.ContainerSecurity;
import dev.peapod.engine.state.ResolvedProcess;
import java.util.List;
import java.util.Optional;

/// What a container's main process and the commands executed in it have in common: who they are.
public final class ProcessOperations {
  private static final int RLIMIT_NOFILE = 7;

  private ProcessOperations() {}

  /// How a process gets into the user namespace of its pod.
  ///
  /// @param process the slot with a pidfd of a process that is in it
  /// @param ownMounts whether it takes its mounts with it, to own them there
  public record UserJoin(UserNamespace namespace, int process, boolean ownMounts) {}

  /// Adds limits, user, groups, working directory and security, and at last the program.
  ///
  /// @param users where the pod has a user namespace of its own
  public static void process(
      LaunchPlan.Builder plan,
      ResolvedProcess process,
      ContainerSecurity.Grant security,
      List<String> argv,
      Optional<UserJoin> users) {
    security.label(plan);
    plan.add(new Operation.Rlimit(RLIMIT_NOFILE, 1024, 524288));
    plan.add(new Operation.Umask(022));
    users.ifPresent(join -> join(plan, join, process.user().uid()));
    plan.add(new Operation.Groups(process.user().groups()));
    plan.add(new Operation.Ids(process.user().uid(), process.user().gid()));
    plan.add(new Operation.Chdir(process.workingDir()));
    security.confine(plan);
    plan.add(new Operation.Exec(argv, process.env()));
  }

  /// As late as can be: until here the process may do what the host's root may.
  private static void join(LaunchPlan.Builder plan, UserJoin join, long uid) {
    plan.add(new Operation.StdioOwner(join.namespace.uids().onHost(uid)));
    plan.add(new Operation.Setns(Stage.PROCESS, join.process, CloneFlags.NEWUSER));
    if (join.ownMounts) {
      plan.add(new Operation.Unshare(Stage.PROCESS, CloneFlags.NEWNS));
    }
  }
}
