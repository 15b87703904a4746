package dev.peapod.engine.launch;

/// A launch plan of which one operation failed; nothing of it is left.
public final class LaunchException extends RuntimeException {
  private final LaunchPlan plan;
  private final int operation;
  private final int errno;
  private final long detail;

  LaunchException(LaunchPlan plan, int operation, int errno, long detail) {
    super("operation " + operation + " of a plan of kind " + plan.kind() + " failed: " + errno);
    this.plan = plan;
    this.operation = operation;
    this.errno = errno;
    this.detail = detail;
  }

  /// The plan.
  public LaunchPlan plan() {
    return plan;
  }

  /// The index of the operation in the plan, -1 if it was none.
  public int operation() {
    return operation;
  }

  /// The error number, as in errno(3).
  public int errno() {
    return errno;
  }

  /// What the operation says beyond it: for [Operation.Listen] the listener's index.
  public long detail() {
    return detail;
  }
}
