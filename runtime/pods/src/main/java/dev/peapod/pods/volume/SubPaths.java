package dev.peapod.pods.volume;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Directory;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FileStat;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Mounts;
import dev.peapod.linux.Open;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Parts of volumes. The path is resolved once, with the volume as its root (openat2(2)), and what
/// it led to is bound to a place of ours, so that no link that a container makes afterwards counts.
final class SubPaths {
  private SubPaths() {}

  static Path show(Path volume, String subPath, Path place) {
    try (Directory root = Directory.open(volume)) {
      try (Fd found = find(root, subPath)) {
        boolean directory = FileStat.of(found).isDirectory();
        target(place, directory);
        Mounts.bind(found, place);
        return place;
      }
    } catch (KernelException | IOException e) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "failed to prepare subPath \"" + subPath + "\": " + e.getMessage(),
          e);
    }
  }

  /// What is at the path; a directory is made where nothing is.
  private static Fd find(Directory root, String subPath) {
    try {
      return root.open(subPath, Open.PATH);
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
    int mode = FileStat.of(root.fd()).mode() & 0777;
    root.mkdirs(subPath, mode);
    root.chmod(subPath, mode);
    return root.open(subPath, Open.PATH | Open.DIRECTORY);
  }

  /// An empty place of the right type, with nothing mounted on it.
  private static void target(Path place, boolean directory) throws IOException {
    Files.createDirectories(place.resolveSibling(".").normalize());
    if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
      while (PodVolumes.isMounted(place)) {
        Mounts.unmount(place, Mounts.DETACH | Mounts.NOFOLLOW);
      }
      if (Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS) == directory) {
        return;
      }
      Files.delete(place);
    }
    if (directory) {
      Files.createDirectory(place);
    } else {
      Files.createFile(place);
    }
  }
}
