package dev.peapod.engine.launch;

/// Where an operation of a launch plan is executed; the order is the order of a plan.
public enum Stage {
  /// In the monitor, before anything is cloned.
  MONITOR,
  /// In the stage process, in the host's namespaces.
  HOST,
  /// In the stage process, after it has left the host's mount namespace.
  POD,
  /// In the new process, inside its PID namespace.
  PROCESS;

  /// The number that stands in a plan and in an answer.
  public int code() {
    return ordinal();
  }
}
