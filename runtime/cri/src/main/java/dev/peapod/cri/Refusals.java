package dev.peapod.cri;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;

/// Refuses what this version does not do, so that nothing that was asked for is silently left out.
final class Refusals {
  private Refusals() {}

  /// @throws PeapodException UNIMPLEMENTED naming the field if it is `used`
  static void unsupported(boolean used, String field) {
    if (used) {
      throw new PeapodException(
          Kind.UNIMPLEMENTED, field + " is not supported by this version of Peapod");
    }
  }

  /// @throws PeapodException INVALID if a required message is not there
  static void required(boolean present, String field) {
    if (!present) {
      throw PeapodException.invalid(field + " is missing");
    }
  }
}
