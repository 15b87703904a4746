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
  /// The reason of an instance whose process could not be started.
  static final String NOT_STARTED = "StartError";

  private static final int NOT_STARTED_EXIT = 128;

  /// An instance that was made, but whose process could not be started.
  static Termination notStarted(String containerId, int attempt, String message, Instant at) {
    return new Termination(containerId, attempt, NOT_STARTED_EXIT, NOT_STARTED, message, at, at);
  }

  boolean succeeded() {
    return exitCode == 0;
  }
}
