package dev.peapod.engine.model;

import dev.peapod.cni.PortMapping;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A pod's sandbox, as asked for.
///
/// @param hostname the pod's host name, or `""` for the pod's own name
/// @param logDirectory where the containers' logs go, or `""` for no logs
/// @param ports host ports that lead to the pod
/// @param runtimeHandler which runtime class was asked for, or `""`
/// @param cgroupParent the cgroup that the pod is placed in, or `""` for one of its own
/// @param network POD or NODE
/// @param pid POD, CONTAINER or NODE
/// @param ipc POD or NODE
/// @param sysctls kernel parameters of the pod's own namespaces
/// @param privileged whether privileged containers may come
/// @param userNamespace the pod's own, or null for the host's
/// @param selinux the SELinux label of what its containers share, if one is asked for
/// @param resources what all of its containers together may use; of a cgroup that is there already
///     the limits are whose it is
public record SandboxSpec(
    PodMetadata metadata,
    String hostname,
    String logDirectory,
    DnsSpec dns,
    List<PortMapping> ports,
    Map<String, String> labels,
    Map<String, String> annotations,
    String runtimeHandler,
    String cgroupParent,
    NamespaceMode network,
    NamespaceMode pid,
    NamespaceMode ipc,
    Map<String, String> sysctls,
    boolean privileged,
    @Nullable UserNamespace userNamespace,
    @Nullable SelinuxLabel selinux,
    ResourceSpec resources) {
  public SandboxSpec {
    ports = List.copyOf(ports);
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    sysctls = Map.copyOf(sysctls);
  }

  /// The same with other resources.
  public SandboxSpec with(ResourceSpec changed) {
    return new SandboxSpec(
        metadata,
        hostname,
        logDirectory,
        dns,
        ports,
        labels,
        annotations,
        runtimeHandler,
        cgroupParent,
        network,
        pid,
        ipc,
        sysctls,
        privileged,
        userNamespace,
        selinux,
        changed);
  }

  /// A sandbox of default modes.
  public static SandboxSpec of(PodMetadata metadata) {
    return new SandboxSpec(
        metadata,
        "",
        "",
        DnsSpec.OF_HOST,
        List.of(),
        Map.of(),
        Map.of(),
        "",
        "",
        NamespaceMode.POD,
        NamespaceMode.POD,
        NamespaceMode.POD,
        Map.of(),
        false,
        null,
        null,
        ResourceSpec.NONE);
  }
}
