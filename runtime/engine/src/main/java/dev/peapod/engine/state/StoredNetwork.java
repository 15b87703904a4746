package dev.peapod.engine.state;

import java.util.Objects;

/// The state file of a network that was made ahead of its pod; it is written before the network is made.
///
/// @param id will be the sandbox's id
/// @param netns where the network namespace is pinned
public record StoredNetwork(int version, String id, String netns) {
  /// The version that is written now.
  public static final int VERSION = 1;

  public StoredNetwork {
    if (version != VERSION) {
      throw new IllegalArgumentException("version " + version + " is not known");
    }
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(netns, "netns");
  }
}
