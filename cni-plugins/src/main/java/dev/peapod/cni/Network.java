package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// The pods' network on this host. Thread-safe; calls for one sandbox must not overlap.
///
/// State stands under `<state>/network/`: every address lease, link and rule is recorded there before it is made.
public final class Network implements AutoCloseable {
  private Network() {}

  /// Opens the network in the network namespace of this process. Changes nothing on the host until the first pod is attached.
  ///
  /// @param state the daemon's volatile state directory
  public static Network open(NetworkList list, Path state, PortHolder holder) {
    return new Network();
  }

  /// Gives a sandbox its network: `lo` up, then each plugin of the list. If one fails, all that was made is undone.
  ///
  /// @throws PeapodException with what failed, in one sentence; RESOURCE_EXHAUSTED if no address is left, FAILED_PRECONDITION
  ///     if a host port is taken
  public Attachment attach(AttachRequest request) {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "attach");
  }

  /// Takes back what the sandbox was given. Succeeds if there is nothing left to take. The pod's link is not waited for: it goes with
  /// its namespace.
  public void detach(DetachRequest request) {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "detach");
  }

  /// What an attached sandbox was given, as recorded; empty if it is not attached.
  public Optional<Attachment> attachment(String sandboxId) {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "attachment");
  }

  /// Verifies that what the sandbox was given is still there.
  ///
  /// @throws PeapodException naming what is missing
  public void check(String sandboxId) {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "check");
  }

  /// Removes what belongs to sandboxes that are not among the living, and nothing else. For the daemon's start.
  public void reconcile(Set<String> liveSandboxIds) {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "reconcile");
  }

  /// Leaves the host as it was before the first pod (bridge, rules, forwarding), if no sandbox is attached.
  public void shutdownIfUnused() {
    throw new PeapodException(PeapodException.Kind.UNIMPLEMENTED, "shutdownIfUnused");
  }

  /// Closes what this object has open; changes nothing on the host.
  @Override
  public void close() {}
}
