package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.nio.file.Path;
import java.util.Optional;

/// Asks for all that a sandbox was given to be taken back.
///
/// @param sandboxId as in the [AttachRequest]
/// @param netnsPath the file of its network namespace, if that is still there
public record DetachRequest(String sandboxId, Optional<Path> netnsPath) {
  /// @throws PeapodException INVALID if the id is not of the form that [AttachRequest] says
  public DetachRequest {
    AttachRequest.requireId(sandboxId);
  }
}
