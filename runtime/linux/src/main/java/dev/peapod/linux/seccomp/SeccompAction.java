package dev.peapod.linux.seccomp;

/// What a filter does with a system call (seccomp(2)).
///
/// @param data the errno of [Kind#ERRNO] or the message of [Kind#TRACE], 0 to 65,535; else 0
public record SeccompAction(Kind kind, int data) {
  /// The sorts of action.
  public enum Kind {
    KILL_PROCESS(0x8000_0000),
    KILL_THREAD(0),
    /// The process gets SIGSYS.
    TRAP(0x0003_0000),
    /// The call answers an error and is not made.
    ERRNO(0x0005_0000),
    /// A tracer decides.
    TRACE(0x7ff0_0000),
    /// The call is made and logged.
    LOG(0x7ffc_0000),
    ALLOW(0x7fff_0000);

    private final int code;

    Kind(int code) {
      this.code = code;
    }
  }

  /// @throws IllegalArgumentException if the data does not fit the kind
  public SeccompAction {
    boolean hasData = kind == Kind.ERRNO || kind == Kind.TRACE;
    if (data < 0 || data > 0xffff || (!hasData && data != 0)) {
      throw new IllegalArgumentException(kind + " with " + data);
    }
  }

  /// An action without data.
  public static SeccompAction of(Kind kind) {
    return new SeccompAction(kind, 0);
  }

  /// Whether the system call is made.
  boolean permits() {
    return kind == Kind.ALLOW || kind == Kind.LOG;
  }

  /// As the kernel and libseccomp number it.
  int code() {
    return kind.code | data;
  }
}
