package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.cgroup.Cgroup;
import dev.peapod.linux.cgroup.CgroupDriver;
import dev.peapod.linux.cgroup.CgroupLimits;
import dev.peapod.linux.cgroup.CgroupName;
import dev.peapod.linux.cgroup.Cgroups;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Stream;

/// The cgroups between that of all pods and those of each, as kubelet lays them out: guaranteed pods stand directly
/// below the parent, burstable and best-effort pods in a level of their own each, so that all of one class together weigh
/// what they have asked for. Thread-safe.
public final class QosLevels {
  private static final Logger LOG = System.getLogger(QosLevels.class.getName());
  private static final Path HIERARCHIES = Path.of("/sys/fs/cgroup");
  private static final String BURSTABLE = "burstable";
  private static final String BEST_EFFORT = "besteffort";

  private final Cgroups cgroups;
  private final CgroupName parent;
  private long burstableShares;

  /// @param parent the cgroup of all pods
  public QosLevels(Cgroups cgroups, CgroupName parent) {
    this.cgroups = cgroups;
    this.parent = parent;
  }

  /// The cgroup of a pod.
  static CgroupName cgroup(CgroupName parent, Pod pod) {
    CgroupName level =
        switch (Resources.qosClass(pod)) {
          case "Guaranteed" -> parent;
          case "BestEffort" -> parent.child(BEST_EFFORT);
          default -> parent.child(BURSTABLE);
        };
    return level.child("pod" + pod.getMetadata().getUid());
  }

  /// Makes the levels, if they are not there.
  public synchronized void make() {
    cgroups.create(path(BURSTABLE));
    Cgroup bestEffort = cgroups.create(path(BEST_EFFORT));
    setShares(bestEffort, Resources.LEAST_SHARES);
    burstableShares = 0;
  }

  /// Weighs the levels by the pods that there are now.
  public synchronized void weigh(Collection<Pod> pods) {
    long shares =
        Resources.shares(
            pods.stream().filter(p -> Resources.qosClass(p).equals("Burstable")).mapToLong(Resources::cpuRequest).sum());
    if (shares != burstableShares) {
      setShares(cgroups.open(path(BURSTABLE)), shares);
      burstableShares = shares;
    }
  }

  private String path(String level) {
    return parent.child(level).path();
  }

  private void setShares(Cgroup level, long shares) {
    if (!cgroups.controllers().contains("cpu")) {
      return;
    }
    try {
      level.apply(CgroupLimits.builder().cpuShares(shares).build());
    } catch (PeapodException | KernelException e) {
      LOG.log(Level.WARNING, "the weight of cgroup {0} stays: {1}", level.path(), e.getMessage());
    }
  }

  /// Removes the cgroup of a pod that is gone, if the runtime has left it.
  public synchronized void remove(Pod pod) {
    String cgroup = cgroup(parent, pod).path();
    if (parent.driver() == CgroupDriver.SYSTEMD) {
      cgroups.open(cgroup).remove();
      return;
    }
    String path = cgroup.substring(1);
    // Runtimes use hierarchies that we have no business with otherwise, such as that of systemd.
    try (Stream<Path> hierarchies = Files.list(HIERARCHIES)) {
      for (Path hierarchy : Stream.concat(Stream.of(HIERARCHIES), hierarchies).toList()) {
        if (Files.isDirectory(hierarchy.resolve(path))) {
          Files.delete(hierarchy.resolve(path));
        }
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a pod''s cgroup stays: {0}", e.getMessage());
    }
  }

  /// Removes the levels that no pod is in.
  public synchronized void remove() {
    for (String level : new String[] {BURSTABLE, BEST_EFFORT}) {
      Cgroup cgroup = cgroups.open(path(level));
      if (cgroup.processes().isEmpty()) {
        cgroup.remove();
      }
    }
  }
}
