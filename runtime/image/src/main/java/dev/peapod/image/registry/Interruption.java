package dev.peapod.image.registry;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;

/// What becomes of an interrupted wait: the thread stays interrupted and the work is given up.
public final class Interruption {
  private Interruption() {}

  /// Marks the thread as interrupted again; the exception to throw.
  public static PeapodException of(String what) {
    Thread.currentThread().interrupt();
    return new PeapodException(Kind.DEADLINE_EXCEEDED, "the request for " + what + " was given up");
  }
}
