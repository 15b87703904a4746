package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.environment.Expansion;
import dev.peapod.pods.volume.PodVolumes;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.ImageSpec;
import dev.peapod.proto.runtime.v1.Mount;
import dev.peapod.proto.runtime.v1.MountPropagation;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What of the host a container sees: its volumes, its hosts file, its termination message.
final class ContainerMounts {
  private ContainerMounts() {}

  /// @param images those of the image volumes, by the volume's name
  /// @throws PeapodException FAILED_PRECONDITION or INVALID if a part of a volume can not be shown
  static List<Mount> of(
      Pod pod,
      Container container,
      int attempt,
      PodPaths paths,
      PodVolumes volumes,
      Map<String, Image> images,
      Map<String, String> environment) {
    List<Mount> result = new ArrayList<>();
    boolean ownHosts = false;
    List<VolumeMount> mounts = container.getVolumeMounts();
    for (int i = 0; i < mounts.size(); i++) {
      VolumeMount mount = mounts.get(i);
      Volume volume =
          pod.getSpec().getVolumes().stream()
              .filter(v -> v.getName().equals(mount.getName()))
              .findFirst()
              .orElseThrow();
      String part = part(mount, environment);
      ownHosts |= mount.getMountPath().equals("/etc/hosts");
      Image image = images.get(volume.getName());
      if (image != null) {
        result.add(ofImage(mount, image, volume.getImage().getReference(), part));
        continue;
      }
      Path source = volumes.source(pod, volume);
      if (!part.isEmpty()) {
        source = volumes.part(source, part, volume.getName() + "/" + container.getName() + "/" + i);
      }
      boolean readOnly = Boolean.TRUE.equals(mount.getReadOnly()) || isReadOnly(volume);
      String recursive = mount.getRecursiveReadOnly();
      result.add(
          Mount.newBuilder()
              .setContainerPath(mount.getMountPath())
              .setHostPath(source.toString())
              .setReadonly(readOnly)
              .setRecursiveReadOnly(recursive != null && !recursive.equals("Disabled"))
              .setPropagation(propagation(mount.getMountPropagation()))
              // What is the machine's keeps its labels.
              .setSelinuxRelabel(volume.getHostPath() == null)
              .build());
    }
    if (!ownHosts) {
      result.add(
          Mount.newBuilder()
              .setContainerPath("/etc/hosts")
              .setHostPath(paths.hosts().toString())
              .setSelinuxRelabel(true)
              .setReadonly(
                  container.getSecurityContext() != null
                      && Boolean.TRUE.equals(
                          container.getSecurityContext().getReadOnlyRootFilesystem()))
              .build());
    }
    result.add(
        Mount.newBuilder()
            .setContainerPath(container.getTerminationMessagePath())
            .setHostPath(paths.terminationMessage(container.getName(), attempt).toString())
            .setSelinuxRelabel(true)
            .build());
    return result;
  }

  private static Mount ofImage(VolumeMount mount, Image image, String reference, String part) {
    return Mount.newBuilder()
        .setContainerPath(mount.getMountPath())
        .setImage(
            ImageSpec.newBuilder().setImage(image.getId()).setUserSpecifiedImage(reference))
        .setImageSubPath(part)
        .setReadonly(true)
        .build();
  }

  private static String part(VolumeMount mount, Map<String, String> environment) {
    String expression = mount.getSubPathExpr();
    if (expression == null || expression.isEmpty()) {
      return mount.getSubPath() == null ? "" : mount.getSubPath();
    }
    String expanded = Expansion.expand(expression, environment);
    if (expanded.contains("$(")) {
      throw PeapodException.invalid("missing value for \"" + expression + "\"");
    }
    if (expanded.startsWith("/") || List.of(expanded.split("/")).contains("..")) {
      throw PeapodException.invalid(
          "subPathExpr \"" + expression + "\" becomes \"" + expanded + "\", which leads outside");
    }
    return expanded;
  }

  /// Kubernetes never lets containers write to what is made of documents.
  private static boolean isReadOnly(Volume volume) {
    return volume.getConfigMap() != null
        || volume.getSecret() != null
        || volume.getDownwardAPI() != null
        || volume.getProjected() != null
        || (volume.getPersistentVolumeClaim() != null
            && Boolean.TRUE.equals(volume.getPersistentVolumeClaim().getReadOnly()));
  }

  private static MountPropagation propagation(@Nullable String propagation) {
    return switch (propagation) {
      case "HostToContainer" -> MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
      case "Bidirectional" -> MountPropagation.PROPAGATION_BIDIRECTIONAL;
      case null, default -> MountPropagation.PROPAGATION_PRIVATE;
    };
  }
}
