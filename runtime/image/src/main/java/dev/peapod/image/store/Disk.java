package dev.peapod.image.store;

import dev.peapod.linux.Directory;
import dev.peapod.linux.KernelException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;

/// What is done to whole directories.
public final class Disk {
  private static final System.Logger LOG = System.getLogger(Disk.class.getName());

  private Disk() {}

  /// Removes a directory with all that is in it; what can not be removed is left for the next
  /// start.
  public static void discard(Path path) {
    try (Directory parent = Directory.open(path.resolveSibling("."))) {
      parent.removeTree(String.valueOf(path.getFileName()));
    } catch (KernelException e) {
      LOG.log(Level.WARNING, "{0} stays until the next start: {1}", path, e.getMessage());
    }
  }

  /// Writes all of the filesystem that a directory is on to its disk.
  ///
  /// @throws KernelException of syncfs(2)
  static void sync(Path directory) {
    try (Directory opened = Directory.open(directory)) {
      opened.syncFilesystem();
    }
  }
}
