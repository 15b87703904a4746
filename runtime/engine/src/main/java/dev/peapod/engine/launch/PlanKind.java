package dev.peapod.engine.launch;

/// What a launch plan starts.
public enum PlanKind {
  /// The process that holds a pod's namespaces.
  PAUSE(1),
  /// A container's main process, under a monitor.
  CONTAINER(2),
  /// A further process in a container, under an exec monitor.
  EXEC(3),
  /// A process that binds a pod's host ports.
  HOLDER(4);

  private final int code;

  PlanKind(int code) {
    this.code = code;
  }

  /// The number that stands in a plan.
  public int code() {
    return code;
  }
}
