package dev.peapod.pods.probe;

/// What a probe's outcome decides.
public enum ProbeKind {
  LIVENESS("Liveness"),
  READINESS("Readiness"),
  STARTUP("Startup");

  private final String word;

  ProbeKind(String word) {
    this.word = word;
  }

  /// As it stands in events.
  public String word() {
    return word;
  }
}
