package dev.peapod.engine.event;

import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.SandboxStatus;
import java.util.List;

/// A change of a container, or of a sandbox, which counts as a container too.
///
/// @param id the container's or the sandbox's
/// @param at nanoseconds since 1970
/// @param sandbox how the sandbox was right after it
/// @param containers how the sandbox's containers were right after it
public record ContainerEvent(
    String id, Type type, long at, SandboxStatus sandbox, List<ContainerStatus> containers) {
  /// What has happened.
  public enum Type {
    CREATED,
    STARTED,
    STOPPED,
    DELETED
  }

  public ContainerEvent {
    containers = List.copyOf(containers);
  }
}
