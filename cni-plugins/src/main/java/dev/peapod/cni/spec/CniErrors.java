package dev.peapod.cni.spec;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;

/// The error codes of the CNI specification and what they are to us.
public final class CniErrors {
  public static final int INCOMPATIBLE_VERSION = 1;
  public static final int UNSUPPORTED_FIELD = 2;
  public static final int UNKNOWN_CONTAINER = 3;
  public static final int INVALID_ENVIRONMENT = 4;
  public static final int IO_FAILURE = 5;
  public static final int DECODING_FAILURE = 6;
  public static final int INVALID_CONFIG = 7;
  public static final int TRY_AGAIN_LATER = 11;

  private CniErrors() {}

  /// The error that a plugin printed, as one sentence.
  ///
  /// @param what the plugin and the command, such as `CNI plugin "tuning" failed to ADD`
  public static PeapodException read(Keys error, String what) {
    int code = error.number("code", 0);
    String details = error.optionalText("details").orElse("");
    return new PeapodException(
        kind(code),
        what
            + ": "
            + error.optionalText("msg").orElse("it gave no reason")
            + (details.isEmpty() ? "" : "; " + details)
            + " (code "
            + code
            + ")");
  }

  private static Kind kind(int code) {
    return switch (code) {
      case INCOMPATIBLE_VERSION, UNSUPPORTED_FIELD, INVALID_CONFIG -> Kind.INVALID;
      case UNKNOWN_CONTAINER -> Kind.NOT_FOUND;
      case TRY_AGAIN_LATER -> Kind.UNAVAILABLE;
      default -> Kind.INTERNAL;
    };
  }
}
