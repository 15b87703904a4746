package dev.peapod.pods;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.cgroup.Cgroups;
import dev.peapod.pods.api.PodsService;
import dev.peapod.pods.api.RuntimeImages;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.service.ClusterZone;
import dev.peapod.pods.stream.StreamClient;
import dev.peapod.pods.supervisor.Cri;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.pods.supervisor.ManifestDirectory;
import dev.peapod.pods.supervisor.PodBoard;
import dev.peapod.pods.supervisor.QosLevels;
import dev.peapod.pods.workload.Workloads;
import dev.peapod.proto.runtime.v1.VersionResponse;
import io.fabric8.kubernetes.api.model.Pod;
import io.grpc.BindableService;
import io.grpc.Channel;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Keeps the applied pods running, through the CRI contract alone. Thread-safe.
public final class PodSupervisor implements AutoCloseable {
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration ADOPTION = Duration.ofSeconds(5);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

  private final PodsConfig config;
  private final Cri cri;
  private final Fleet fleet;
  private final Workloads workloads;
  private final QosLevels levels;
  private final StreamClient streams = new StreamClient();
  private final Map<String, Pod> known = new HashMap<>();
  private @Nullable ManifestDirectory manifests;

  /// @param runtime a CRI v1 runtime; it stays the caller's to close
  public PodSupervisor(Channel runtime, PodsConfig config, Cgroups cgroups) {
    this.config = config;
    this.cri = new Cri(runtime);
    this.levels = new QosLevels(cgroups, config.cgroupParent());
    this.fleet = new Fleet(cri, config, InstantSource.system(), this::changed);
    this.workloads = new Workloads(fleet, config, InstantSource.system());
  }

  /// A pod has come or gone.
  private synchronized void changed(Collection<Pod> pods) {
    levels.weigh(pods);
    Map<String, Pod> now = new HashMap<>();
    pods.forEach(pod -> now.put(pod.getMetadata().getUid(), pod));
    known.keySet().removeAll(now.keySet());
    // A runtime removes what it made, and the pod's own level is not always that.
    known.values().forEach(levels::remove);
    known.clear();
    known.putAll(now);
  }

  /// Takes up every pod that was applied before: what runs is adopted untouched, the rest is made.
  /// Does not wait for it. The runtime may come to answer later.
  public void start() {
    levels.make();
    fleet.start();
    workloads.start();
    config
        .manifests()
        .ifPresent(
            directory -> {
              manifests =
                  new ManifestDirectory(
                      fleet, new Manifests(config.shareProcessNamespace()), directory, LOOK);
              manifests.start();
            });
  }

  /// The names of services and pods, for a DNS server.
  public ClusterZone names() {
    return new ClusterZone(config.dns().domain(), fleet.objects(), fleet.board());
  }

  /// Waits until it is known what runs of the pods that were applied before; not for long.
  ///
  /// @return whether there are any
  public boolean awaitAdoption() throws InterruptedException {
    List<PodBoard.Entry> pods = fleet.board().list().entries();
    long end = System.nanoTime() + ADOPTION.toNanos();
    for (PodBoard.Entry entry : pods) {
      while (!fleet.isSettled(PodKey.of(entry.pod())) && System.nanoTime() < end) {
        Thread.sleep(LOOK_AGAIN);
      }
    }
    return !pods.isEmpty();
  }

  /// The images of a runtime that has no service of its own for them (`peapod.v1.Images`).
  public BindableService images() {
    return new RuntimeImages(cri);
  }

  /// Name and version of the runtime, `unknown` while it does not answer.
  public VersionResponse runtime() {
    try {
      return cri.version();
    } catch (PeapodException e) {
      return VersionResponse.newBuilder()
          .setRuntimeName("unknown")
          .setRuntimeVersion("unknown")
          .build();
    }
  }

  /// The pod API (`peapod.v1.Pods`).
  public List<BindableService> services() {
    return List.of(new PodsService(fleet, cri, streams, config));
  }

  /// Stops supervising; pods run on.
  @Override
  public void close() {
    if (manifests != null) {
      manifests.close();
    }
    workloads.close();
    streams.close();
    fleet.close();
    levels.remove();
  }
}
