package dev.peapod.engine.state;

/// How a container ended, where no exit record of a monitor says it.
///
/// @param finishedAt nanoseconds since 1970
public record StoredExit(int exitCode, long finishedAt, String reason, String message) {}
