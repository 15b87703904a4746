package dev.peapod.pods;

import io.grpc.BindableService;
import io.grpc.Channel;
import java.util.List;

/// Keeps the applied pods running, through the CRI contract alone. Thread-safe.
public final class PodSupervisor implements AutoCloseable {
  private final Channel runtime;
  private final PodsConfig config;

  /// @param runtime a CRI v1 runtime; it stays the caller's to close
  public PodSupervisor(Channel runtime, PodsConfig config) {
    this.runtime = runtime;
    this.config = config;
  }

  /// Takes up every pod that was applied before: what runs is adopted untouched, the rest is made.
  public void start() {}

  /// The gRPC services of the pod API (`peapod.v1.Pods`).
  public List<BindableService> services() {
    return List.of();
  }

  /// Stops supervising; pods run on.
  @Override
  public void close() {}
}
