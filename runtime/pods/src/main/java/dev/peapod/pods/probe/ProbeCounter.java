package dev.peapod.pods.probe;

import java.util.Optional;

/// Counts outcomes in a row until a threshold makes them count. For one thread.
final class ProbeCounter {
  private final int successThreshold;
  private final int failureThreshold;
  private boolean lastSuccess;
  private int inARow;

  ProbeCounter(int successThreshold, int failureThreshold) {
    this.successThreshold = successThreshold;
    this.failureThreshold = failureThreshold;
  }

  /// The verdict, once enough outcomes in a row agree.
  Optional<Boolean> add(boolean success) {
    if (inARow > 0 && success == lastSuccess) {
      inARow++;
    } else {
      lastSuccess = success;
      inARow = 1;
    }
    return inARow >= (success ? successThreshold : failureThreshold)
        ? Optional.of(success)
        : Optional.empty();
  }
}
