package dev.peapod.pods.supervisor;

import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.MachinePaths;
import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.environment.Expansion;
import dev.peapod.pods.status.PodText;
import dev.peapod.proto.runtime.v1.Capability;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerMetadata;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.KeyValue;
import dev.peapod.proto.runtime.v1.LinuxContainerConfig;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.NamespaceMode;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.Signal;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContext;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A container as a CRI runtime is asked for it.
final class ContainerConfigs {
  private ContainerConfigs() {}

  /// @param sandbox what the container's sandbox was asked for with
  /// @param image what the runtime says of the image that is to be run
  /// @throws PeapodException if the image does not fit what the manifest asks for
  static ContainerConfig of(
      Pod pod,
      PodSandboxConfig sandbox,
      Container container,
      int attempt,
      Image image,
      Map<String, String> environment,
      List<Mount> mounts,
      PodsConfig config) {
    ContainerConfig.Builder result =
        ContainerConfig.newBuilder()
            .setMetadata(
                ContainerMetadata.newBuilder().setName(container.getName()).setAttempt(attempt))
            .setImage(
                ImageSpec.newBuilder()
                    .setImage(image.getId())
                    .setUserSpecifiedImage(container.getImage()))
            .setLogPath(container.getName() + "/" + attempt + ".log")
            .setStdin(SandboxConfigs.isTrue(container.getStdin()))
            .setStdinOnce(SandboxConfigs.isTrue(container.getStdinOnce()))
            .setTty(SandboxConfigs.isTrue(container.getTty()))
            .putLabels(Labels.CONTAINER_NAME, container.getName())
            .putLabels(Labels.POD_NAME, pod.getMetadata().getName())
            .putLabels(Labels.POD_NAMESPACE, pod.getMetadata().getNamespace())
            .putLabels(Labels.POD_UID, pod.getMetadata().getUid())
            .putAnnotations(Labels.RESTART_COUNT, Integer.toString(attempt))
            .putAnnotations(Labels.MESSAGE_PATH, container.getTerminationMessagePath())
            .putAnnotations(Labels.MESSAGE_POLICY, container.getTerminationMessagePolicy())
            .putAnnotations(
                Labels.GRACE, Long.toString(pod.getSpec().getTerminationGracePeriodSeconds()));
    if (!container.getPorts().isEmpty()) {
      result.putAnnotations(Labels.PORTS, PodText.json(container.getPorts()).strip());
    }
    container.getCommand().forEach(word -> result.addCommand(Expansion.expand(word, environment)));
    container.getArgs().forEach(word -> result.addArgs(Expansion.expand(word, environment)));
    if (container.getWorkingDir() != null) {
      result.setWorkingDir(container.getWorkingDir());
    }
    environment.forEach(
        (name, value) ->
            result.addEnvs(
                KeyValue.newBuilder().setKey(name).setValue(ByteString.copyFromUtf8(value))));
    result.addAllMounts(mounts);
    if (container.getLifecycle() != null && container.getLifecycle().getStopSignal() != null) {
      String signal = container.getLifecycle().getStopSignal();
      result.setStopSignal(
          Signal.valueOf("SIGNAL_" + signal.replace("+", "PLUS").replace("-", "MINUS")));
    }
    NamespaceOption namespaces = sandbox.getLinux().getSecurityContext().getNamespaceOptions();
    if (namespaces.hasUsernsOptions()) {
      result
          .getMountsBuilderList()
          .forEach(
              mount ->
                  mount
                      .addAllUidMappings(namespaces.getUsernsOptions().getUidsList())
                      .addAllGidMappings(namespaces.getUsernsOptions().getGidsList()));
    }
    result.setLinux(
        LinuxContainerConfig.newBuilder()
            .setResources(Resources.of(pod, container))
            .setSecurityContext(security(pod, namespaces, container, image, config)));
    return result.build();
  }

  /// The same in the PID namespace of another container.
  static ContainerConfig seeing(String target, ContainerConfig config) {
    ContainerConfig.Builder result = config.toBuilder();
    result
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.TARGET)
        .setTargetId(target);
    return result.build();
  }

  private static LinuxContainerSecurityContext security(
      Pod pod,
      NamespaceOption namespaces,
      Container container,
      Image image,
      PodsConfig config) {
    PodSecurityContext podContext = pod.getSpec().getSecurityContext();
    SecurityContext own = container.getSecurityContext();
    LinuxContainerSecurityContext.Builder result =
        LinuxContainerSecurityContext.newBuilder()
            .setNamespaceOptions(namespaces)
            .setPrivileged(SandboxConfigs.isPrivileged(container));
    Long user = podContext == null ? null : podContext.getRunAsUser();
    Long group = podContext == null ? null : podContext.getRunAsGroup();
    Boolean nonRoot = podContext == null ? null : podContext.getRunAsNonRoot();
    var seccomp = podContext == null ? null : podContext.getSeccompProfile();
    var apparmor = podContext == null ? null : podContext.getAppArmorProfile();
    var selinux = podContext == null ? null : podContext.getSeLinuxOptions();
    boolean escalation = true;
    if (podContext != null) {
      result.addAllSupplementalGroups(podContext.getSupplementalGroups());
      result.setSupplementalGroupsPolicy(SandboxConfigs.groups(podContext));
      if (podContext.getFsGroup() != null
          && !podContext.getSupplementalGroups().contains(podContext.getFsGroup())) {
        result.addSupplementalGroups(podContext.getFsGroup());
      }
    }
    if (own != null) {
      user = own.getRunAsUser() == null ? user : own.getRunAsUser();
      group = own.getRunAsGroup() == null ? group : own.getRunAsGroup();
      nonRoot = own.getRunAsNonRoot() == null ? nonRoot : own.getRunAsNonRoot();
      seccomp = own.getSeccompProfile() == null ? seccomp : own.getSeccompProfile();
      apparmor = own.getAppArmorProfile() == null ? apparmor : own.getAppArmorProfile();
      selinux = own.getSeLinuxOptions() == null ? selinux : own.getSeLinuxOptions();
      escalation = !Boolean.FALSE.equals(own.getAllowPrivilegeEscalation());
      result.setReadonlyRootfs(Boolean.TRUE.equals(own.getReadOnlyRootFilesystem()));
      if (own.getCapabilities() != null) {
        result.setCapabilities(
            Capability.newBuilder()
                .addAllAddCapabilities(own.getCapabilities().getAdd())
                .addAllDropCapabilities(own.getCapabilities().getDrop()));
      }
    }
    identity(result, user, group, image);
    if (Boolean.TRUE.equals(nonRoot)) {
      requireNonRoot(container, user, image);
    }
    result.setNoNewPrivs(!escalation);
    if (selinux != null) {
      result.setSelinuxOptions(SandboxConfigs.selinux(selinux));
    }
    if (!result.getPrivileged() && !(own != null && "Unmasked".equals(own.getProcMount()))) {
      result
          .addAllMaskedPaths(MachinePaths.TELLING)
          .addAllReadonlyPaths(MachinePaths.CHANGING);
    }
    if (apparmor != null) {
      result.setApparmor(SandboxConfigs.apparmor(apparmor));
    }
    return result.setSeccomp(SandboxConfigs.seccomp(seccomp, config)).build();
  }

  private static void identity(
      LinuxContainerSecurityContext.Builder result,
      @Nullable Long user,
      @Nullable Long group,
      Image image) {
    if (user != null) {
      result.setRunAsUser(Int64Value.newBuilder().setValue(user));
    } else if (image.hasUid()) {
      result.setRunAsUser(image.getUid());
    } else if (!image.getUsername().isEmpty()) {
      result.setRunAsUsername(image.getUsername());
    } else if (group != null) {
      // CRI takes a group only together with a user.
      result.setRunAsUser(Int64Value.newBuilder().setValue(0));
    }
    if (group != null) {
      result.setRunAsGroup(Int64Value.newBuilder().setValue(group));
    }
  }

  private static void requireNonRoot(Container container, @Nullable Long user, Image image) {
    String problem = "";
    if (user != null) {
      problem = user == 0 ? "container's runAsUser breaks non-root policy" : "";
    } else if (image.hasUid()) {
      problem =
          image.getUid().getValue() == 0
              ? "container has runAsNonRoot and image will run as root"
              : "";
    } else if (!image.getUsername().isEmpty()) {
      problem =
          "container has runAsNonRoot and image has non-numeric user ("
              + image.getUsername()
              + "), cannot verify user is non-root";
    } else {
      problem = "container has runAsNonRoot and image will run as root";
    }
    if (!problem.isEmpty()) {
      throw PeapodException.invalid(problem + " (container " + container.getName() + ")");
    }
  }
}
