package dev.peapod.pods;

import dev.peapod.linux.cgroup.Cgroups;
import dev.peapod.pods.api.PodsService;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.QosLevels;
import io.grpc.BindableService;
import io.grpc.Channel;
import java.time.InstantSource;
import java.util.List;

/// Keeps the applied pods running, through the CRI contract alone. Thread-safe.
public final class PodSupervisor implements AutoCloseable {
  private final PodsConfig config;
  private final Cri cri;
  private final Fleet fleet;
  private final QosLevels levels;

  /// @param runtime a CRI v1 runtime; it stays the caller's to close
  public PodSupervisor(Channel runtime, PodsConfig config, Cgroups cgroups) {
    this.config = config;
    this.cri = new Cri(runtime);
    this.levels = new QosLevels(cgroups, config.cgroupParent());
    this.fleet = new Fleet(cri, config, InstantSource.system(), levels::weigh);
  }

  /// Takes up every pod that was applied before: what runs is adopted untouched, the rest is made.
  /// Does not wait for it. The runtime may come to answer later.
  public void start() {
    levels.make();
    fleet.start();
  }

  /// The pod API (`peapod.v1.Pods`).
  public List<BindableService> services() {
    return List.of(new PodsService(fleet, cri, config));
  }

  /// Stops supervising; pods run on.
  @Override
  public void close() {
    fleet.close();
    levels.remove();
  }
}
