package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.HostAlias;
import io.fabric8.kubernetes.api.model.HostPathVolumeSource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.BooleanSupplier;

/// A pod's directories and files on the host: volumes, hosts file, log directories.
final class Volumes {
  private static final int S_IFMT = 0170000;
  private static final int S_IFSOCK = 0140000;
  private static final int S_IFBLK = 0060000;
  private static final int S_IFCHR = 0020000;

  private Volumes() {}

  /// Makes what is missing of a pod's volumes.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if a hostPath is not what the manifest says
  static void prepare(Pod pod, PodPaths paths) {
    try {
      Files.createDirectories(paths.logs());
      for (Volume volume : pod.getSpec().getVolumes()) {
        if (volume.getHostPath() != null) {
          hostPath(volume.getName(), volume.getHostPath());
        } else {
          Path directory = paths.emptyDir(volume.getName());
          if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
          }
        }
      }
    } catch (IOException e) {
      throw PeapodException.internal("can not make the pod's volumes: " + e, e);
    }
  }

  /// Writes the hosts file that all containers of the pod share.
  static void writeHosts(Pod pod, PodPaths paths, String podIp) {
    boolean hostNetwork = SandboxConfigs.isTrue(pod.getSpec().getHostNetwork());
    StringBuilder text = new StringBuilder("# Kubernetes-managed hosts file");
    if (hostNetwork) {
      text.append(" (host network).\n").append(HostFacts.hostsFile());
    } else {
      text.append(
          """
          .
          127.0.0.1\tlocalhost
          ::1\tlocalhost ip6-localhost ip6-loopback
          fe00::0\tip6-localnet
          fe00::0\tip6-mcastprefix
          fe00::1\tip6-allnodes
          fe00::2\tip6-allrouters
          """);
      if (!podIp.isEmpty()) {
        text.append(podIp).append('\t').append(SandboxConfigs.hostname(pod)).append('\n');
      }
    }
    if (!pod.getSpec().getHostAliases().isEmpty()) {
      text.append("\n# Entries added by HostAliases.\n");
      for (HostAlias alias : pod.getSpec().getHostAliases()) {
        text.append(alias.getIp()).append('\t');
        text.append(String.join("\t", alias.getHostnames())).append('\n');
      }
    }
    try {
      // Written in place: running containers have this very file mounted.
      Files.writeString(paths.hosts(), text);
      Files.setPosixFilePermissions(paths.hosts(), PosixFilePermissions.fromString("rw-r--r--"));
    } catch (IOException e) {
      throw PeapodException.internal("can not write " + paths.hosts() + ": " + e.getMessage(), e);
    }
  }

  /// Makes what one new instance of a container needs.
  static void prepareContainer(PodPaths paths, String container, int attempt) {
    try {
      Files.createDirectories(paths.logs().resolve(container));
      Path message = paths.terminationMessage(container, attempt);
      Files.createDirectories(message.getParent());
      if (!Files.exists(message)) {
        Files.createFile(message);
      }
      Files.setPosixFilePermissions(message, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (IOException e) {
      throw PeapodException.internal(
          "can not make the files of container " + container + ": " + e.getMessage(), e);
    }
  }

  /// Removes logs and messages of instances that are older than the last two.
  static void forgetOldInstances(PodPaths paths, String container, int attempt) {
    for (int old = attempt - 2; old >= 0 && old > attempt - 5; old--) {
      try {
        Files.deleteIfExists(paths.log(container, old));
        Files.deleteIfExists(paths.terminationMessage(container, old));
      } catch (IOException e) {
        // They go with the pod.
      }
    }
  }

  private static void hostPath(String volume, HostPathVolumeSource source) throws IOException {
    Path path = Path.of(source.getPath());
    String type = source.getType() == null ? "" : source.getType();
    switch (type) {
      case "DirectoryOrCreate" -> {
        if (!Files.exists(path)) {
          Files.createDirectories(path);
          Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        check(volume, path, "a directory", () -> Files.isDirectory(path));
      }
      case "Directory" -> check(volume, path, "a directory", () -> Files.isDirectory(path));
      case "FileOrCreate" -> {
        try {
          Files.createFile(path);
          Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
        } catch (FileAlreadyExistsException e) {
          // As wanted.
        }
        check(volume, path, "a file", () -> Files.isRegularFile(path));
      }
      case "File" -> check(volume, path, "a file", () -> Files.isRegularFile(path));
      case "Socket" -> check(volume, path, "a socket", () -> isOfType(path, S_IFSOCK));
      case "CharDevice" -> check(volume, path, "a character device", () -> isOfType(path, S_IFCHR));
      case "BlockDevice" -> check(volume, path, "a block device", () -> isOfType(path, S_IFBLK));
      default -> {
        // As the runtime does without a kubelet: a missing path becomes a directory.
        if (!Files.exists(path)) {
          Files.createDirectories(path);
        }
      }
    }
  }

  private static boolean isOfType(Path path, int type) {
    try {
      return (((Number) Files.getAttribute(path, "unix:mode")).intValue() & S_IFMT) == type;
    } catch (IOException e) {
      return false;
    }
  }

  private static void check(String volume, Path path, String what, BooleanSupplier is) {
    if (!is.getAsBoolean()) {
      throw new PeapodException(
          PeapodException.Kind.FAILED_PRECONDITION,
          "hostPath type check failed: " + path + " of volume " + volume + " is not " + what);
    }
  }
}
