package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodsConfig;
import dev.peapod.proto.runtime.v1.DNSConfig;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxConfig;
import dev.peapod.proto.runtime.v1.LinuxSandboxSecurityContext;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxMetadata;
import dev.peapod.proto.runtime.v1.PortMapping;
import dev.peapod.proto.runtime.v1.Protocol;
import dev.peapod.proto.runtime.v1.SELinuxOption;
import dev.peapod.proto.runtime.v1.SecurityProfile;
import dev.peapod.proto.runtime.v1.SupplementalGroupsPolicy;
import io.fabric8.kubernetes.api.model.AppArmorProfile;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.SELinuxOptions;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A pod's sandbox as a CRI runtime is asked for it.
final class SandboxConfigs {
  private SandboxConfigs() {}

  /// @param firstUser the first of the host's users that the pod has for its own
  static PodSandboxConfig of(
      Pod pod,
      int attempt,
      Optional<Integer> firstUser,
      DNSConfig dns,
      PodsConfig config,
      PodPaths paths) {
    PodSpec spec = pod.getSpec();
    PodSandboxConfig.Builder result =
        PodSandboxConfig.newBuilder()
            .setMetadata(
                PodSandboxMetadata.newBuilder()
                    .setName(pod.getMetadata().getName())
                    .setNamespace(pod.getMetadata().getNamespace())
                    .setUid(pod.getMetadata().getUid())
                    .setAttempt(attempt))
            .setLogDirectory(paths.logs().toString())
            .setDnsConfig(dns);
    if (!isTrue(spec.getHostNetwork())) {
      result.setHostname(PodDns.nodeName(pod, config.dns().domain()));
      spec.getContainers().forEach(container -> ports(container, result));
    }
    if (pod.getMetadata().getLabels() != null) {
      result.putAllLabels(pod.getMetadata().getLabels());
    }
    result
        .putLabels(Labels.POD_NAME, pod.getMetadata().getName())
        .putLabels(Labels.POD_NAMESPACE, pod.getMetadata().getNamespace())
        .putLabels(Labels.POD_UID, pod.getMetadata().getUid());
    if (pod.getMetadata().getAnnotations() != null) {
      result.putAllAnnotations(pod.getMetadata().getAnnotations());
    }
    result.putAnnotations(Labels.SUPERVISOR, config.podsDirectory().toString());
    firstUser.ifPresent(first -> result.putAnnotations(Labels.FIRST_USER, Integer.toString(first)));
    result.setLinux(linux(pod, firstUser, config));
    return result.build();
  }

  private static void ports(Container container, PodSandboxConfig.Builder result) {
    for (ContainerPort port : container.getPorts()) {
      // Kubelet passes all ports; a runtime acts on those with a host port.
      result.addPortMappings(
          PortMapping.newBuilder()
              .setProtocol(
                  switch (port.getProtocol()) {
                    case "UDP" -> Protocol.UDP;
                    case "SCTP" -> Protocol.SCTP;
                    default -> Protocol.TCP;
                  })
              .setContainerPort(port.getContainerPort())
              .setHostPort(port.getHostPort() == null ? 0 : port.getHostPort())
              .setHostIp(port.getHostIP() == null ? "" : port.getHostIP()));
    }
  }

  private static LinuxPodSandboxConfig linux(
      Pod pod, Optional<Integer> firstUser, PodsConfig config) {
    LinuxPodSandboxConfig.Builder linux =
        LinuxPodSandboxConfig.newBuilder()
            .setCgroupParent(QosLevels.cgroup(config.cgroupParent(), pod).path())
            .setResources(Resources.ofPod(pod));
    LinuxSandboxSecurityContext.Builder security =
        LinuxSandboxSecurityContext.newBuilder()
            .setNamespaceOptions(namespaces(pod.getSpec(), firstUser))
            .setPrivileged(
                Stream.concat(
                        pod.getSpec().getInitContainers().stream(),
                        pod.getSpec().getContainers().stream())
                    .anyMatch(SandboxConfigs::isPrivileged));
    PodSecurityContext context = pod.getSpec().getSecurityContext();
    security.setSeccomp(seccomp(context == null ? null : context.getSeccompProfile(), config));
    if (context != null) {
      if (context.getRunAsUser() != null) {
        security.setRunAsUser(Int64Value.newBuilder().setValue(context.getRunAsUser()));
      }
      if (context.getRunAsGroup() != null) {
        security.setRunAsGroup(Int64Value.newBuilder().setValue(context.getRunAsGroup()));
      }
      if (context.getSeLinuxOptions() != null) {
        security.setSelinuxOptions(selinux(context.getSeLinuxOptions()));
      }
      security.addAllSupplementalGroups(context.getSupplementalGroups());
      security.setSupplementalGroupsPolicy(groups(context));
      context.getSysctls().forEach(s -> linux.putSysctls(s.getName(), s.getValue()));
    }
    return linux.setSecurityContext(security).build();
  }

  private static NamespaceOption namespaces(PodSpec spec, Optional<Integer> firstUser) {
    NamespaceOption.Builder namespaces = NamespaceOption.newBuilder();
    firstUser.map(UserRanges::namespace).ifPresent(namespaces::setUsernsOptions);
    return namespaces
        .setNetwork(isTrue(spec.getHostNetwork()) ? NamespaceMode.NODE : NamespaceMode.POD)
        .setIpc(isTrue(spec.getHostIPC()) ? NamespaceMode.NODE : NamespaceMode.POD)
        .setPid(
            isTrue(spec.getHostPID())
                ? NamespaceMode.NODE
                : isTrue(spec.getShareProcessNamespace())
                    ? NamespaceMode.POD
                    : NamespaceMode.CONTAINER)
        .build();
  }

  /// Unconfined where the manifest says nothing, as kubelet does by default. Localhost profiles are
  /// files below the directory for them.
  static SecurityProfile seccomp(@Nullable SeccompProfile profile, PodsConfig config) {
    if (profile == null) {
      return profile("Unconfined", "");
    }
    String file = profile.getLocalhostProfile();
    return profile(
        profile.getType(),
        file == null ? "" : config.seccompDirectory().resolve(file).normalize().toString());
  }

  static SecurityProfile apparmor(AppArmorProfile profile) {
    String name = profile.getLocalhostProfile();
    return profile(profile.getType(), name == null ? "" : name);
  }

  private static SecurityProfile profile(String type, String name) {
    return switch (type) {
      case "Localhost" ->
          SecurityProfile.newBuilder()
              .setProfileType(SecurityProfile.ProfileType.Localhost)
              .setLocalhostRef(name)
              .build();
      case "Unconfined" ->
          SecurityProfile.newBuilder()
              .setProfileType(SecurityProfile.ProfileType.Unconfined)
              .build();
      default ->
          SecurityProfile.newBuilder()
              .setProfileType(SecurityProfile.ProfileType.RuntimeDefault)
              .build();
    };
  }

  /// Whether the image's own groups count.
  static SupplementalGroupsPolicy groups(PodSecurityContext context) {
    return "Strict".equals(context.getSupplementalGroupsPolicy())
        ? SupplementalGroupsPolicy.Strict
        : SupplementalGroupsPolicy.Merge;
  }

  static SELinuxOption selinux(SELinuxOptions options) {
    return SELinuxOption.newBuilder()
        .setUser(orEmpty(options.getUser()))
        .setRole(orEmpty(options.getRole()))
        .setType(orEmpty(options.getType()))
        .setLevel(orEmpty(options.getLevel()))
        .build();
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  static boolean isPrivileged(Container container) {
    return container.getSecurityContext() != null
        && isTrue(container.getSecurityContext().getPrivileged());
  }

  static boolean isTrue(@Nullable Boolean value) {
    return Boolean.TRUE.equals(value);
  }
}
