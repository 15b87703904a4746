package dev.peapod.pods;

import dev.peapod.linux.cgroup.CgroupName;
import dev.peapod.pods.service.ClusterDns;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// How pods are supervised.
///
/// @param root lasting state; manifests, volumes and hosts files go below `root/pods`
/// @param logRoot container logs, `logRoot/<namespace>_<name>_<uid>/<container>/<attempt>.log`
/// @param cgroupParent the cgroup that every pod's own cgroup is made in, such as `/peapod/pods`, and how
///     the runtime wants those named
/// @param shareProcessNamespace what a manifest means that does not say `shareProcessNamespace`
/// @param backOffBase the first wait before a container that keeps failing is started again
/// @param backOffMax the longest such wait
/// @param backOffReset how long a container must have run for its waits to begin anew
/// @param poll how often the runtime is asked what runs, where it sends no events
/// @param nodeName what the downward API calls `spec.nodeName`
/// @param manifests a directory whose manifests are kept applied; it need not exist
/// @param dns whom pods ask for names
public record PodsConfig(
    Path root,
    Path logRoot,
    CgroupName cgroupParent,
    boolean shareProcessNamespace,
    Duration backOffBase,
    Duration backOffMax,
    Duration backOffReset,
    Duration poll,
    String nodeName,
    Optional<Path> manifests,
    ClusterDns dns) {

  /// Kubernetes' figures: 10 s doubling to 300 s, forgotten after 10 minutes of health.
  public static PodsConfig of(Path root, Path logRoot, CgroupName cgroupParent, String nodeName) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        true,
        Duration.ofSeconds(10),
        Duration.ofSeconds(300),
        Duration.ofMinutes(10),
        Duration.ofSeconds(1),
        nodeName,
        Optional.empty(),
        ClusterDns.NONE);
  }

  /// The same with a directory of manifests.
  public PodsConfig withManifests(Path directory) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        shareProcessNamespace,
        backOffBase,
        backOffMax,
        backOffReset,
        poll,
        nodeName,
        Optional.of(directory),
        dns);
  }

  /// The same with other back-off figures.
  public PodsConfig withBackOff(Duration base, Duration max, Duration reset) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        shareProcessNamespace,
        base,
        max,
        reset,
        poll,
        nodeName,
        manifests,
        dns);
  }

  /// The same with another meaning of a manifest that does not say `shareProcessNamespace`.
  public PodsConfig withShareProcessNamespace(boolean share) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        share,
        backOffBase,
        backOffMax,
        backOffReset,
        poll,
        nodeName,
        manifests,
        dns);
  }

  /// The same with another interval between two looks at the runtime.
  public PodsConfig withPoll(Duration interval) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        shareProcessNamespace,
        backOffBase,
        backOffMax,
        backOffReset,
        interval,
        nodeName,
        manifests,
        dns);
  }

  /// The same with a DNS server of the cluster's.
  public PodsConfig withDns(ClusterDns cluster) {
    return new PodsConfig(
        root,
        logRoot,
        cgroupParent,
        shareProcessNamespace,
        backOffBase,
        backOffMax,
        backOffReset,
        poll,
        nodeName,
        manifests,
        cluster);
  }

  /// Where the seccomp profiles are that manifests name.
  public Path seccompDirectory() {
    return root.resolve("seccomp");
  }

  /// Where applied manifests and volumes are kept.
  public Path podsDirectory() {
    return root.resolve("pods");
  }
}
