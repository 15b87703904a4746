package dev.peapod.pods.volume;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Fd;
import dev.peapod.linux.MountInfo;
import dev.peapod.linux.Mounts;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.manifest.Quantities;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectStore;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// The volumes of one pod below a directory of its own. Nothing is remembered but what is on disk
/// and mounted, so that a new daemon goes on with it. Thread-safe.
public final class PodVolumes {
  private final Path directory;
  private final ObjectStore objects;

  /// @param directory the pod's
  public PodVolumes(Path directory, ObjectStore objects) {
    this.directory = directory;
    this.objects = objects;
  }

  /// Makes what is missing of the pod's volumes, and fills those that documents fill.
  ///
  /// @throws PeapodException FAILED_PRECONDITION, in kubelet's words, if something that a volume
  /// needs is not there
  public synchronized void prepare(Pod pod, PodFields fields) {
    for (Volume volume : pod.getSpec().getVolumes()) {
      try {
        prepare(pod, volume, fields);
      } catch (IOException e) {
        throw failed(volume, e.toString());
      } catch (PeapodException e) {
        throw failed(volume, e.getMessage());
      }
    }
  }

  /// Fills the volumes of documents anew, where they differ; running containers see it.
  ///
  /// @return why some could not be filled
  public synchronized List<String> refresh(Pod pod, PodFields fields) {
    List<String> problems = new ArrayList<>();
    for (Volume volume : pod.getSpec().getVolumes()) {
      if (Content.isOf(volume) && Files.isDirectory(path(volume))) {
        try {
          fill(pod, volume, fields);
        } catch (IOException | PeapodException e) {
          problems.add(String.valueOf(failed(volume, e.getMessage()).getMessage()));
        }
      }
    }
    return problems;
  }

  private static PeapodException failed(Volume volume, @Nullable String why) {
    return new PeapodException(
        Kind.FAILED_PRECONDITION,
        "MountVolume.SetUp failed for volume \"" + volume.getName() + "\" : " + why);
  }

  private void prepare(Pod pod, Volume volume, PodFields fields) throws IOException {
    Optional<Long> group =
        Optional.ofNullable(pod.getSpec().getSecurityContext()).map(PodSecurityContext::getFsGroup);
    if (volume.getHostPath() != null) {
      HostPaths.prepare(volume.getName(), volume.getHostPath());
    } else if (volume.getPersistentVolumeClaim() != null) {
      Path claim = claim(pod, volume);
      boolean onlyIfRootDiffers =
          group.isPresent()
              && "OnRootMismatch"
                  .equals(pod.getSpec().getSecurityContext().getFsGroupChangePolicy());
      group.ifPresent(gid -> Ownership.give(claim, gid, onlyIfRootDiffers));
    } else if (Content.isOf(volume)) {
      if (Content.isSecret(volume)) {
        memory(path(volume), List.of("source=tmpfs", "mode=0755"));
      } else {
        make(path(volume), "rwxr-xr-x");
      }
      fill(pod, volume, fields);
    } else if (volume.getEmptyDir() != null) {
      emptyDir(volume);
      // The volume itself is given last: what was cut off is taken up again.
      group.ifPresent(gid -> Ownership.give(path(volume), gid, true));
    }
  }

  private void emptyDir(Volume volume) throws IOException {
    if (!"Memory".equals(volume.getEmptyDir().getMedium())) {
      make(path(volume), "rwxrwxrwx");
      return;
    }
    List<String> options = new ArrayList<>(List.of("source=tmpfs", "mode=0777"));
    Quantity limit = volume.getEmptyDir().getSizeLimit();
    long bytes = limit == null ? 0 : bytes(limit);
    if (bytes > 0) {
      options.add("size=" + bytes);
    }
    memory(path(volume), options);
  }

  private void fill(Pod pod, Volume volume, PodFields fields) throws IOException {
    SortedMap<String, Content.File> content =
        Content.of(volume, pod.getMetadata().getNamespace(), objects, fields);
    PodSecurityContext context = pod.getSpec().getSecurityContext();
    Long group = context == null ? null : context.getFsGroup();
    new AtomicDirectory(path(volume)).write(content, group == null ? -1 : group);
  }

  private static void make(Path path, String permissions) throws IOException {
    if (!Files.isDirectory(path)) {
      Files.createDirectories(path);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }
  }

  private static void memory(Path path, List<String> options) throws IOException {
    Files.createDirectories(path);
    if (!isMounted(path)) {
      try (Fd mount = Mounts.filesystem("tmpfs", options)) {
        Mounts.attach(mount, path);
      }
    }
  }

  static boolean isMounted(Path path) throws IOException {
    Path real = path.toRealPath();
    return Mounts.self().stream().map(MountInfo::mountPoint).anyMatch(real::equals);
  }

  /// Where a volume's files are on the host, unless they are an image's.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if it is a claim that is not there
  public Path source(Pod pod, Volume volume) {
    if (volume.getHostPath() != null) {
      return Path.of(volume.getHostPath().getPath());
    }
    return volume.getPersistentVolumeClaim() != null ? claim(pod, volume) : path(volume);
  }

  private Path claim(Pod pod, Volume volume) {
    String name = volume.getPersistentVolumeClaim().getClaimName();
    ObjectKey key = new ObjectKey(ObjectKind.CLAIM, pod.getMetadata().getNamespace(), name);
    if (objects.get(key).isEmpty()) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, "persistentvolumeclaim \"" + name + "\" not found");
    }
    return objects.claimDirectory(key);
  }

  private Path path(Volume volume) {
    String type =
        volume.getConfigMap() != null
            ? "configmap"
            : volume.getSecret() != null
                ? "secret"
                : volume.getDownwardAPI() != null
                    ? "downward-api"
                    : volume.getProjected() != null ? "projected" : "empty-dir";
    return directory.resolve("volumes/kubernetes.io~" + type).resolve(volume.getName());
  }

  /// Shows a part of a volume at a path of its own that no link in the volume can lead out of.
  ///
  /// @param place what makes the path the container's alone
  /// @return the path to give to the runtime
  public synchronized Path part(Path volume, String subPath, String place) {
    return SubPaths.show(volume, subPath, directory.resolve("volume-subpaths").resolve(place));
  }

  /// The disk volumes whose size is limited, and their limits in bytes.
  public static List<Volume> limited(Pod pod) {
    return pod.getSpec().getVolumes().stream()
        .filter(v -> v.getEmptyDir() != null && v.getEmptyDir().getSizeLimit() != null)
        .filter(v -> !"Memory".equals(v.getEmptyDir().getMedium()))
        .filter(v -> bytes(v.getEmptyDir().getSizeLimit()) > 0)
        .toList();
  }

  /// Why the pod is to be evicted: a volume holds more than its limit. Empty if none does.
  public Optional<String> overLimit(Pod pod) {
    for (Volume volume : limited(pod)) {
      Quantity limit = volume.getEmptyDir().getSizeLimit();
      if (DiskUsage.of(path(volume)) > bytes(limit)) {
        return Optional.of(
            "Usage of EmptyDir volume \""
                + volume.getName()
                + "\" exceeds the limit \""
                + text(limit)
                + "\". ");
      }
    }
    return Optional.empty();
  }

  private static long bytes(Quantity quantity) {
    return Quantities.units(text(quantity));
  }

  private static String text(Quantity quantity) {
    return quantity.getAmount() + (quantity.getFormat() == null ? "" : quantity.getFormat());
  }

  /// Takes away what is mounted for the pod; what is on disk stays for the caller to delete.
  public synchronized void unmount() {
    Path root;
    try {
      root = directory.toRealPath();
    } catch (IOException e) {
      return;
    }
    for (MountInfo mount : Mounts.self().reversed()) {
      if (mount.mountPoint().startsWith(root)) {
        Mounts.unmount(mount.mountPoint(), Mounts.DETACH | Mounts.NOFOLLOW);
      }
    }
  }
}
