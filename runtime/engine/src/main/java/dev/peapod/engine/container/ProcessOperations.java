package dev.peapod.engine.container;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.state.ResolvedProcess;

/// What a container's main process and the commands executed in it have in common: who they are.
final class ProcessOperations {
  private ProcessOperations() {}

  /// Adds working directory, user, groups and capabilities.
  static void identity(LaunchPlan.Builder plan, ContainerSpec spec, ResolvedProcess process) {
    plan.add(new Operation.Groups(process.user().groups()));
    plan.add(new Operation.Ids(process.user().uid(), process.user().gid()));
    plan.add(new Operation.Chdir(process.workingDir()));
    plan.add(CapabilitySets.of(spec.name(), spec.security()));
    if (spec.security().noNewPrivileges()) {
      plan.add(new Operation.NoNewPrivileges());
    }
  }
}
