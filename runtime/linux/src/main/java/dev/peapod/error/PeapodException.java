package dev.peapod.error;

/// A failure that a caller is told about: a [Kind] for programs, one sentence for people.
///
/// It is made where the cause is known. The sentence says what was asked, what failed and, where it
/// is the user's to mend, how.
public final class PeapodException extends RuntimeException {
  /// What sort of failure it is; each has one gRPC status code.
  public enum Kind {
    /// The request can never work as it is.
    INVALID(3),
    /// What is named does not exist.
    NOT_FOUND(5),
    /// What is to be made exists already.
    ALREADY_EXISTS(6),
    /// The request does not fit the present state.
    FAILED_PRECONDITION(9),
    /// The caller may not do it (registry credentials, a policy).
    PERMISSION_DENIED(7),
    /// No space, no address, no port left.
    RESOURCE_EXHAUSTED(8),
    /// Something outside (a registry, a process) does not answer now; trying again may help.
    UNAVAILABLE(14),
    /// It took longer than the caller allowed.
    DEADLINE_EXCEEDED(4),
    /// Not supported by this version.
    UNIMPLEMENTED(12),
    /// A defect of Peapod, or a machine in a state that nobody foresaw.
    INTERNAL(13);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /// The number of its gRPC status code.
    public int code() {
      return code;
    }
  }

  private final Kind kind;

  public PeapodException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public PeapodException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  public static PeapodException invalid(String message) {
    return new PeapodException(Kind.INVALID, message);
  }

  public static PeapodException notFound(String message) {
    return new PeapodException(Kind.NOT_FOUND, message);
  }

  public static PeapodException internal(String message, Throwable cause) {
    return new PeapodException(Kind.INTERNAL, message, cause);
  }
}
