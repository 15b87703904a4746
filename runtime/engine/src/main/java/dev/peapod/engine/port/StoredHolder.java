package dev.peapod.engine.port;

import dev.peapod.engine.state.StoredProcess;
import java.util.Objects;

/// The state file of a sandbox's port holder.
public record StoredHolder(int version, String sandboxId, String bootId, StoredProcess process) {
  /// The version that is written now.
  public static final int VERSION = 1;

  public StoredHolder {
    if (version != VERSION) {
      throw new IllegalArgumentException("version " + version + " is not known");
    }
    Objects.requireNonNull(sandboxId, "sandboxId");
    Objects.requireNonNull(bootId, "bootId");
    Objects.requireNonNull(process, "process");
  }
}
