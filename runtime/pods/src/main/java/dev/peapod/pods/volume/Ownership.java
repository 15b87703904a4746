package dev.peapod.pods.volume;

import dev.peapod.linux.Attributes;
import dev.peapod.linux.Directory;
import dev.peapod.linux.Errno;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FileStat;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Open;
import java.nio.file.Path;

/// Gives what is in a volume to a pod's `fsGroup`, as kubelet does: the group of everything, read
/// and write for it, and new files in directories get it too. No link is followed, so a container
/// that shares the volume can not lead it astray.
final class Ownership {
  private static final int SET_GROUP = 02000;
  private static final int FILE = 0660;
  private static final int EXECUTE = 0110;

  private Ownership() {}

  /// @param onlyIfRootDiffers leave all as it is where the volume itself is right already
  static void give(Path volume, long group, boolean onlyIfRootDiffers) {
    try (Directory root = Directory.open(volume)) {
      if (onlyIfRootDiffers) {
        FileStat stat = FileStat.of(root.fd());
        int wanted = SET_GROUP | FILE | EXECUTE;
        if (stat.gid() == group && (stat.mode() & wanted) == wanted) {
          return;
        }
      }
      give(root, ".", group);
    }
  }

  private static void give(Directory root, String path, long group) {
    for (Directory.Entry entry : root.list(path)) {
      String below = path.equals(".") ? entry.name() : path + "/" + entry.name();
      try {
        if (entry.type() == Open.S_IFDIR) {
          give(root, below, group);
        } else {
          own(root, below, group, FILE);
        }
      } catch (KernelException e) {
        // Gone meanwhile, or no longer what it was.
        if (e.errno() != Errno.ENOENT && e.errno() != Errno.ELOOP) {
          throw e;
        }
      }
    }
    if (path.equals(".")) {
      FileStat stat = FileStat.of(root.fd());
      Attributes.chown(root.fd(), stat.uid(), group);
      Attributes.chmod(root.fd(), stat.permissions() | SET_GROUP | FILE | EXECUTE);
    } else {
      own(root, path, group, SET_GROUP | FILE | EXECUTE);
    }
  }

  private static void own(Directory root, String path, long group, int bits) {
    try (Fd file = root.open(path, Open.PATH | Open.NOFOLLOW)) {
      FileStat stat = FileStat.of(file);
      if (stat.gid() != group) {
        root.chown(path, stat.uid(), group);
      }
      if (!stat.isLink() && (stat.permissions() & bits) != bits) {
        root.chmod(path, stat.permissions() | bits);
      }
    }
  }
}
