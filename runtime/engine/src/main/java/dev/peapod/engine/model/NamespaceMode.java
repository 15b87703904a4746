package dev.peapod.engine.model;

/// Whose namespace is used, as the CRI's `NamespaceMode`.
public enum NamespaceMode {
  /// The pod's.
  POD,
  /// The container's own (PID only).
  CONTAINER,
  /// The host's.
  NODE,
  /// That of another container (PID only).
  TARGET
}
