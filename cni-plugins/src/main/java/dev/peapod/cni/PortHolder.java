package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.util.List;

/// Binds host ports for as long as a sandbox lives: that makes a clash visible to every program of
/// the host, and serves the addresses that no rule of the kernel may redirect (127.0.0.1 and
/// [::1]).
///
/// What it holds outlives the daemon. Implementations are thread-safe.
public interface PortHolder {
  /// Binds all of the ports, or none.
  ///
  /// @throws PeapodException FAILED_PRECONDITION naming the port if one is taken, INVALID if an
  ///     address is not one of the host's
  void hold(String sandboxId, List<HeldPort> ports);

  /// Lets go of all that is held for the sandbox; of nothing if nothing is.
  void release(String sandboxId);
}
