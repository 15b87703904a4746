package dev.peapod.pods.volume;

import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.HostPathVolumeSource;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.BooleanSupplier;

/// Paths of the host that are what a manifest says they are.
final class HostPaths {
  private static final int S_IFMT = 0170000;
  private static final int S_IFSOCK = 0140000;
  private static final int S_IFBLK = 0060000;
  private static final int S_IFCHR = 0020000;

  private HostPaths() {}

  /// Makes what is to be made and checks the rest.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the path is not what the manifest says
  static void prepare(String volume, HostPathVolumeSource source) throws IOException {
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
