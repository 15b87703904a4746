package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import java.io.IOException;

/// Turns the errors of file work into Peapod's.
public final class IoErrors {
  private IoErrors() {}

  /// RESOURCE_EXHAUSTED if the disk is full, else INTERNAL.
  public static PeapodException of(String what, IOException e) {
    String message = String.valueOf(e.getMessage());
    boolean full =
        message.endsWith(Errno.describe(Errno.ENOSPC))
            || message.endsWith(Errno.describe(Errno.EDQUOT));
    return new PeapodException(
        full ? Kind.RESOURCE_EXHAUSTED : Kind.INTERNAL,
        what + ": " + (full ? "no space left (" + message + ")" : message),
        e);
  }
}
