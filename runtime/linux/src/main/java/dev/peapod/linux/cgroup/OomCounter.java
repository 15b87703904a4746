package dev.peapod.linux.cgroup;

/// A file in which the kernel counts processes that were killed for want of memory.
///
/// @param path the file, which may be kept open and read again from its start
public record OomCounter(Kind kind, String path) {
  /// How the file is laid out. Both have the number in a line `oom_kill N`.
  public enum Kind {
    /// `memory.oom_control` of version 1.
    OOM_CONTROL,
    /// `memory.events` of version 2.
    MEMORY_EVENTS
  }
}
