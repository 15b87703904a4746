package dev.peapod.linux;

/// A system call that failed: its name and arguments as a person would write them, and the errno.
public final class KernelException extends RuntimeException {
  private final String call;
  private final int errno;

  /// @param call the call with its arguments, such as `openat("/etc/passwd")`
  /// @param errno the error number, as in errno(3)
  public KernelException(String call, int errno) {
    super(call + ": " + Errno.describe(errno));
    this.call = call;
    this.errno = errno;
  }

  /// @param explanation what the kernel itself said about the failure, or `""`
  public KernelException(String call, int errno, String explanation) {
    super(
        call
            + ": "
            + Errno.describe(errno)
            + (explanation.isEmpty() ? "" : " (" + explanation + ")"));
    this.call = call;
    this.errno = errno;
  }

  /// The call with its arguments.
  public String call() {
    return call;
  }

  /// The error number, as in errno(3).
  public int errno() {
    return errno;
  }
}
