package dev.peapod.engine.state;

/// A process, told from any later one of the same pid by its start time.
///
/// @param startTime clock ticks since boot
public record StoredProcess(int pid, long startTime) {}
