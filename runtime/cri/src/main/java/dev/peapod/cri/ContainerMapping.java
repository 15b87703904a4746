package dev.peapod.cri;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerStatus;
import dev.peapod.engine.model.DeviceSpec;
import dev.peapod.engine.model.EnvVar;
import dev.peapod.engine.model.MountSpec;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.UserIds;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.ContainerMetadata;
import dev.peapod.proto.runtime.v1.ContainerResources;
import dev.peapod.proto.runtime.v1.ContainerState;
import dev.peapod.proto.runtime.v1.ContainerUser;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.KeyValue;
import dev.peapod.proto.runtime.v1.LinuxContainerUser;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.MountPropagation;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Containers between the CRI's words and the engine's.
final class ContainerMapping {
  private ContainerMapping() {}

  /// @throws PeapodException INVALID or UNIMPLEMENTED naming the field
  static ContainerSpec spec(ContainerConfig config, SandboxSpec sandbox) {
    Refusals.required(config.hasMetadata(), "config.metadata");
    Refusals.required(config.hasImage(), "config.image");
    Refusals.unsupported(config.getCDIDevicesCount() > 0, "config.CDI_devices");
    Namespaces.requireSame(config.getLinux().getSecurityContext().getNamespaceOptions(), sandbox);
    String image =
        config.getImage().getImageRef().isEmpty()
            ? config.getImage().getImage()
            : config.getImage().getImageRef();
    return new ContainerSpec(
        config.getMetadata().getName(),
        config.getMetadata().getAttempt(),
        image,
        config.getImage().getUserSpecifiedImage(),
        config.getCommandList(),
        config.getArgsList(),
        config.getWorkingDir(),
        config.getEnvsList().stream().map(ContainerMapping::variable).toList(),
        config.getMountsList().stream().map(mount -> mount(mount, sandbox)).toList(),
        config.getDevicesList().stream()
            .map(d -> new DeviceSpec(d.getContainerPath(), d.getHostPath(), d.getPermissions()))
            .toList(),
        config.getLabelsMap(),
        config.getAnnotationsMap(),
        config.getLogPath(),
        config.getStdin(),
        config.getStdinOnce(),
        config.getTty(),
        ResourceMapping.spec(config.getLinux().getResources()),
        SecurityMapping.spec(config.getLinux().getSecurityContext()),
        SignalMapping.number(config.getStopSignal()));
  }

  private static EnvVar variable(KeyValue variable) {
    try {
      String value =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(variable.getValue().toByteArray()))
              .toString();
      return new EnvVar(variable.getKey(), value);
    } catch (CharacterCodingException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          "config.envs: the value of \"" + variable.getKey() + "\" is not UTF-8",
          e);
    }
  }

  private static MountSpec mount(Mount mount, SandboxSpec sandbox) {
    String field = "config.mounts of \"" + mount.getContainerPath() + "\": ";
    if (!mount.hasImage() && !mount.getImageSubPath().isEmpty()) {
      throw PeapodException.invalid(field + "image_sub_path is set without image");
    }
    return new MountSpec(
        mount.getContainerPath(),
        mount.getHostPath(),
        mount.getReadonly(),
        mount.getRecursiveReadOnly(),
        propagation(mount.getPropagation(), field),
        Namespaces.mapped(mount, sandbox, field),
        mount.getSelinuxRelabel(),
        mount.getMountOptionsList(),
        mount.hasImage()
            ? new MountSpec.ImageVolume(
                mount.getImage().getImage(), mount.getImageSubPath(), "", List.of())
            : null);
  }

  private static MountSpec.Propagation propagation(MountPropagation propagation, String field) {
    return switch (propagation) {
      case PROPAGATION_PRIVATE -> MountSpec.Propagation.PRIVATE;
      case PROPAGATION_HOST_TO_CONTAINER -> MountSpec.Propagation.HOST_TO_CONTAINER;
      case PROPAGATION_BIDIRECTIONAL -> MountSpec.Propagation.BIDIRECTIONAL;
      case UNRECOGNIZED -> throw PeapodException.invalid(field + "propagation is not known");
    };
  }

  private static MountPropagation propagation(MountSpec.Propagation propagation) {
    return switch (propagation) {
      case PRIVATE -> MountPropagation.PROPAGATION_PRIVATE;
      case HOST_TO_CONTAINER -> MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
      case BIDIRECTIONAL -> MountPropagation.PROPAGATION_BIDIRECTIONAL;
    };
  }

  static Container listed(ContainerStatus container) {
    return Container.newBuilder()
        .setId(container.id())
        .setPodSandboxId(container.sandboxId())
        .setMetadata(metadata(container))
        .setImage(image(container))
        .setImageRef(container.imageRef())
        .setImageId(container.imageId())
        .setState(state(container))
        .setCreatedAt(container.createdAt())
        .putAllLabels(container.spec().labels())
        .putAllAnnotations(container.spec().annotations())
        .build();
  }

  static dev.peapod.proto.runtime.v1.ContainerStatus status(ContainerStatus container) {
    ContainerSpec spec = container.spec();
    return dev.peapod.proto.runtime.v1.ContainerStatus.newBuilder()
        .setId(container.id())
        .setMetadata(metadata(container))
        .setState(state(container))
        .setCreatedAt(container.createdAt())
        .setStartedAt(container.startedAt())
        .setFinishedAt(container.finishedAt())
        .setExitCode(container.exitCode())
        .setImage(image(container))
        .setImageRef(container.imageRef())
        .setImageId(container.imageId())
        .setReason(container.reason())
        .setMessage(container.message())
        .putAllLabels(spec.labels())
        .putAllAnnotations(spec.annotations())
        .addAllMounts(spec.mounts().stream().map(ContainerMapping::mount).toList())
        .setLogPath(container.logPath())
        .setResources(
            ContainerResources.newBuilder().setLinux(ResourceMapping.resources(spec.resources())))
        .setUser(user(container.user()))
        .setStopSignal(SignalMapping.signal(container.stopSignal()))
        .build();
  }

  private static ContainerUser user(UserIds user) {
    return ContainerUser.newBuilder()
        .setLinux(
            LinuxContainerUser.newBuilder()
                .setUid(user.uid())
                .setGid(user.gid())
                .addAllSupplementalGroups(user.groups()))
        .build();
  }

  private static Mount mount(MountSpec mount) {
    Mount.Builder result = Mount.newBuilder();
    MountSpec.ImageVolume image = mount.image();
    if (image != null) {
      result
          .setImageSubPath(image.subPath())
          .setImage(ImageSpec.newBuilder().setImage(image.reference()).setImageRef(image.id()));
    }
    return result
        .setContainerPath(mount.containerPath())
        .setHostPath(mount.hostPath())
        .setReadonly(mount.readOnly())
        .setRecursiveReadOnly(mount.recursiveReadOnly())
        .setSelinuxRelabel(mount.relabel())
        .setPropagation(propagation(mount.propagation()))
        .addAllMountOptions(mount.options())
        .build();
  }

  static ContainerMetadata metadata(ContainerStatus container) {
    return ContainerMetadata.newBuilder()
        .setName(container.spec().name())
        .setAttempt(container.spec().attempt())
        .build();
  }

  private static ImageSpec image(ContainerStatus container) {
    return ImageSpec.newBuilder()
        .setImage(container.spec().image())
        .setUserSpecifiedImage(container.spec().userSpecifiedImage())
        .build();
  }

  static ContainerState state(ContainerStatus container) {
    return switch (container.state()) {
      case CREATED -> ContainerState.CONTAINER_CREATED;
      case RUNNING -> ContainerState.CONTAINER_RUNNING;
      case EXITED -> ContainerState.CONTAINER_EXITED;
      case UNKNOWN -> ContainerState.CONTAINER_UNKNOWN;
    };
  }
}
