package dev.peapod.pods.supervisor;

/// The labels and annotations by which a CRI runtime's sandboxes and containers are known again;
/// kubelet's where kubelet has one.
final class Labels {
  static final String POD_NAME = "io.kubernetes.pod.name";
  static final String POD_NAMESPACE = "io.kubernetes.pod.namespace";
  static final String POD_UID = "io.kubernetes.pod.uid";
  static final String CONTAINER_NAME = "io.kubernetes.container.name";
  static final String RESTART_COUNT = "io.kubernetes.container.restartCount";
  static final String MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath";
  static final String MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy";
  static final String GRACE = "io.kubernetes.pod.terminationGracePeriod";
  static final String PORTS = "io.kubernetes.container.ports";

  /// Whose sandbox it is: the directory of the supervisor's pods. A runtime may serve a kubelet and
  /// other supervisors as well.
  static final String SUPERVISOR = "dev.peapod/pods-directory";

  /// The first of the host's users that the sandbox has for its own.
  static final String FIRST_USER = "dev.peapod/first-user";

  private Labels() {}
}
