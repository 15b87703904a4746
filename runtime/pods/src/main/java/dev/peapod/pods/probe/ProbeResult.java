package dev.peapod.pods.probe;

/// The outcome of one probe.
///
/// @param message what came back, or why nothing did; one line, bounded
public record ProbeResult(boolean success, String message) {
  static ProbeResult ok(String message) {
    return new ProbeResult(true, message);
  }

  static ProbeResult failed(String message) {
    return new ProbeResult(false, message);
  }
}
