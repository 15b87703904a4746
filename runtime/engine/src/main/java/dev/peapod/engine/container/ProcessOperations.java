package dev.peapod.engine.container;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.state.ResolvedProcess;
import java.util.List;

/// What a container's main process and the commands executed in it have in common: who they are.
public final class ProcessOperations {
  private static final int RLIMIT_NOFILE = 7;

  private ProcessOperations() {}

  /// Adds limits, user, groups, capabilities and working directory, and at last the program.
  public static void process(
      LaunchPlan.Builder plan, ContainerSpec spec, ResolvedProcess process, List<String> argv) {
    plan.add(new Operation.Rlimit(RLIMIT_NOFILE, 1024, 524288));
    plan.add(new Operation.Umask(022));
    plan.add(new Operation.Groups(process.user().groups()));
    plan.add(new Operation.Ids(process.user().uid(), process.user().gid()));
    plan.add(new Operation.Chdir(process.workingDir()));
    plan.add(CapabilitySets.of(spec.name(), spec.security()));
    if (spec.security().noNewPrivileges()) {
      plan.add(new Operation.NoNewPrivileges());
    }
    plan.add(new Operation.Exec(argv, process.env()));
  }
}
