package dev.peapod.daemon;

import java.util.Arrays;
import java.util.Optional;

/// Everything that can be configured: one constant is one key of the configuration file and one flag of `peapodd`.
///
/// The order is that of `peapodd config default` and of `--help`. Values are text here; [Config] gives them types.
enum Setting {
  ROOT(
      "root",
      "/var/lib/peapod",
      "DIR",
      """
      Lasting state: images, writable layers, applied manifests, volumes. Must not be a tmpfs or overlay.
      """),
  STATE(
      "state",
      "/run/peapod",
      "DIR",
      """
      Volatile state: sandboxes, containers, exit records, sockets. Need not survive a reboot.
      """),
  SOCKET(
      "socket",
      "",
      "FILE",
      """
      Unix socket that peapod, crictl and kubelet connect to. Empty: peapod.sock in the state directory.
      """),
  LOG_ROOT(
      "log-root",
      "/var/log/pods",
      "DIR",
      """
      Where the logs of the containers of applied pods go.
      """),
  LIBEXEC(
      "libexec",
      "",
      "DIR",
      """
      Where the native programs pause and joiner are. Empty: libexec/peapod of the installation.
      """),
  BRIDGE(
      "bridge",
      "peapod0",
      "NAME",
      """
      Bridge of the default network, made when the first pod needs it; at most 15 bytes.
      """),
  POD_CIDR(
      "pod-cidr",
      "10.88.0.0/16",
      "CIDR",
      """
      IPv4 addresses of the pods on the default network. Must not be in use on this machine.
      """),
  CNI_CONF_DIR(
      "cni-conf-dir",
      "/etc/cni/net.d",
      "DIR",
      """
      CNI network configurations. The first by name is used; with none there, the default network is.
      """),
  CNI_BIN_DIR(
      "cni-bin-dir",
      "/opt/cni/bin",
      "DIR",
      """
      CNI plugins that are executed; Peapod's own need not be there.
      """),
  CLUSTER_DNS(
      "cluster-dns",
      "",
      "ADDRESS",
      """
      Where applied pods ask for names: an address of this machine, or none. Empty: the default network's bridge.
      """),
  CLUSTER_DOMAIN(
      "cluster-domain",
      "cluster.local",
      "DOMAIN",
      """
      Domain that the names of services and pods are in.
      """),
  CGROUP_DRIVER(
      "cgroup-driver",
      "cgroupfs",
      "DRIVER",
      """
      Whose the machine's cgroups are: cgroupfs (paths), or systemd (slices; needs cgroup version 2).
      """),
  CGROUP_PARENT(
      "cgroup-parent",
      "",
      "PATH",
      """
      Cgroup for the pods that name no parent: a path, or the name of a slice. Empty: /peapod, or peapod.slice.
      """),
  SPARES(
      "spares",
      "2",
      "NUMBER",
      """
      Networks, and root filesystems of each image used lately, that are kept ready for the next pods; 0: none.
      """),
  REGISTRIES(
      "registries",
      "",
      "FILE",
      """
      Registry mirrors and credentials. Empty: registries.yaml beside the configuration file.
      """),
  STREAMING_ADDRESS(
      "streaming-address",
      "127.0.0.1:0",
      "ADDRESS",
      """
      IP address and port where exec, attach and port-forward are streamed. Port 0: one that is free.
      """),
  STREAMING_TLS_CERT(
      "streaming-tls-cert",
      "",
      "FILE",
      """
      Certificate chain of the streaming server, PEM. Empty: no TLS.
      """),
  STREAMING_TLS_KEY(
      "streaming-tls-key",
      "",
      "FILE",
      """
      Private key of the streaming server, PEM. Needed with a certificate.
      """),
  SHARE_PROCESS_NAMESPACE(
      "share-process-namespace",
      "true",
      "BOOL",
      """
      Whether the containers of an applied pod see each other's processes if its manifest does not say.
      """),
  RUNTIME_ENDPOINT(
      "runtime-endpoint",
      "",
      "SOCKET",
      """
      CRI runtime that applied pods run on, as unix:///run/containerd/containerd.sock. Empty: Peapod itself.
      """),
  MANIFEST_DIR(
      "manifest-dir",
      "/etc/peapod/manifests",
      "DIR",
      """
      Directory whose manifests (.yaml, .yml, .json) are kept applied; it need not exist.
      """),
  BACK_OFF(
      "back-off",
      "10s",
      "TIME",
      """
      First wait before a failing container is started again, as 10s, 500ms or 1m; it doubles each time.
      """),
  BACK_OFF_MAX(
      "back-off-max",
      "300s",
      "TIME",
      """
      Longest such wait.
      """),
  BACK_OFF_RESET(
      "back-off-reset",
      "10m",
      "TIME",
      """
      How long a container must have run for its waits to begin anew.
      """),
  LOG_LEVEL(
      "log-level",
      "info",
      "LEVEL",
      """
      What peapodd reports on standard error: error, warning, info, debug or trace.
      """);

  private final String key;
  private final String defaultValue;
  private final String placeholder;
  private final String description;

  Setting(String key, String defaultValue, String placeholder, String description) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.placeholder = placeholder;
    this.description = description.strip();
  }

  /// The key in the file; the flag is `--` and the key.
  String key() {
    return key;
  }

  /// The default as text; empty where it follows from other settings.
  String defaultValue() {
    return defaultValue;
  }

  /// What stands for the value in `--help`.
  String placeholder() {
    return placeholder;
  }

  /// What it means, in sentences for people.
  String description() {
    return description;
  }

  static Optional<Setting> ofKey(String key) {
    return Arrays.stream(values()).filter(setting -> setting.key.equals(key)).findFirst();
  }
}
