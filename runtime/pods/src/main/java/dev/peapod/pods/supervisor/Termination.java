package dev.peapod.pods.supervisor;

import java.time.Instant;

/// How an instance of a container ended.
///
/// @param containerId as the runtime names it; empty if it never came to that
record Termination(
    String containerId,
    int attempt,
    int exitCode,
    String reason,
    String message,
    Instant startedAt,
    Instant finishedAt) {
  boolean succeeded() {
    return exitCode == 0;
  }
}
