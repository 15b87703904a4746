package dev.peapod.linux;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Device nodes of the host.
public final class DeviceNodes {
  /// Deep enough for everything below `/dev`, and an end for what is not.
  private static final int DEEPEST = 8;

  private DeviceNodes() {}

  /// A device node.
  ///
  /// @param path where it was found
  /// @param mode its type and permissions, as mknod(2) takes them
  /// @param device as mknod(2) takes it
  public record DeviceNode(String path, int mode, long device, long uid, long gid) {
    /// Whether it is of a block device; else it is of a character device.
    public boolean isBlock() {
      return (mode & Open.S_IFMT) == Open.S_IFBLK;
    }

    /// The number of its driver.
    public int major() {
      return (int) (device >> 8 & 0xfff | device >> 32 & 0xfffff000L);
    }

    /// The number that the driver knows it by.
    public int minor() {
      return (int) (device & 0xff | device >> 12 & 0xffffff00L);
    }
  }

  /// The device node at an absolute path, links followed; nothing if it is something else.
  ///
  /// @throws KernelException ENOENT if nothing is there
  public static Optional<DeviceNode> at(String path) {
    try (Fd fd = Fd.open(path, Open.PATH)) {
      return node(path, FileStat.of(fd));
    }
  }

  /// The device nodes in a directory and below it, in no order; links are not followed, except the
  /// directory itself.
  ///
  /// @param skipped names in the directory that are not looked at
  /// @throws KernelException ENOENT if nothing is there, ENOTDIR if it is no directory
  public static List<DeviceNode> below(String directory, Set<String> skipped) {
    List<DeviceNode> found = new ArrayList<>();
    try (Directory root = Directory.open(Path.of(directory))) {
      collect(root, "", directory, skipped, 0, found);
    }
    return found;
  }

  private static void collect(
      Directory root,
      String below,
      String directory,
      Set<String> skipped,
      int depth,
      List<DeviceNode> found) {
    for (Directory.Entry entry : root.list(below)) {
      String name = below.isEmpty() ? entry.name() : below + "/" + entry.name();
      if (skipped.contains(name)) {
        continue;
      }
      switch (entry.type()) {
        case Open.S_IFDIR -> {
          if (depth < DEEPEST) {
            collectIfThere(root, name, directory, skipped, depth + 1, found);
          }
        }
        case Open.S_IFCHR, Open.S_IFBLK ->
            root.stat(name).flatMap(s -> node(directory + "/" + name, s)).ifPresent(found::add);
        default -> {}
      }
    }
  }

  /// Devices come and go.
  private static void collectIfThere(
      Directory root,
      String below,
      String directory,
      Set<String> skipped,
      int depth,
      List<DeviceNode> found) {
    try {
      collect(root, below, directory, skipped, depth, found);
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  private static Optional<DeviceNode> node(String path, FileStat stat) {
    int type = stat.mode() & Open.S_IFMT;
    return type == Open.S_IFCHR || type == Open.S_IFBLK
        ? Optional.of(new DeviceNode(path, stat.mode(), stat.special(), stat.uid(), stat.gid()))
        : Optional.empty();
  }
}
