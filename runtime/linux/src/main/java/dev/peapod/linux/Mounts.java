package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Mounts: made as descriptors where possible, attached to names, and taken away (mount(2),
/// fsopen(2), umount2(2)).
public final class Mounts {
  /// For [#unmount(Path, int)]: away at once, cleaned up when no longer busy.
  public static final int DETACH = 2;

  /// For [#unmount(Path, int)]: a symbolic link at the end is not followed.
  public static final int NOFOLLOW = 8;

  static final int MS_BIND = 0x1000;
  static final int MS_REC = 0x4000;
  static final int MS_PRIVATE = 0x40000;
  private static final long MOUNT_ATTR_NOSUID = 2;
  private static final long MOUNT_ATTR_NODEV = 4;
  private static final String MOUNT_ID = "mnt_id:";

  private Mounts() {}

  /// Shows `source` at `target` too, which must exist; what is mounted below it stays behind.
  public static void bind(Path source, Path target) {
    bind(source.toString(), target);
  }

  /// Shows what the descriptor is open on (a namespace, a directory) at `target`, which must exist.
  public static void bind(Fd source, Path target) {
    bind("/proc/self/fd/" + source.number(), target);
  }

  private static void bind(String source, Path target) {
    byte[] from = LibC.path(source);
    byte[] to = LibC.path(target.toString());
    if (MountCalls.mount(from, to, null, MS_BIND, null) < 0) {
      int errno = LibC.errno();
      throw new KernelException("mount(\"" + source + "\", \"" + target + "\", MS_BIND)", errno);
    }
  }

  /// Makes the mount at `target` private: mounts and unmounts in it are not passed on.
  public static void makePrivate(Path target, boolean recursive) {
    byte[] to = LibC.path(target.toString());
    int flags = MS_PRIVATE | (recursive ? MS_REC : 0);
    if (MountCalls.mount(to, to, null, flags, null) < 0) {
      int errno = LibC.errno();
      throw new KernelException("mount(\"" + target + "\", MS_PRIVATE)", errno);
    }
  }

  /// Takes away what is mounted at `target`: whether anything was.
  ///
  /// @param flags 0, or of [#DETACH] and [#NOFOLLOW]
  /// @throws KernelException EBUSY if it is used and [#DETACH] is not said
  public static boolean unmount(Path target, int flags) {
    if (MountCalls.umount2(LibC.path(target.toString()), flags) == 0) {
      return true;
    }
    int errno = LibC.errno();
    if (errno == Errno.EINVAL || errno == Errno.ENOENT) {
      return false;
    }
    throw new KernelException("umount2(\"" + target + "\", " + flags + ")", errno);
  }

  /// A detached copy of the mount at `path`, to be attached elsewhere; `recursive` with all that is
  /// mounted below it. Links are followed.
  public static Fd openTree(Path path, boolean recursive) {
    int flags =
        MountCalls.OPEN_TREE_CLONE
            | MountCalls.OPEN_TREE_CLOEXEC
            | (recursive ? MountCalls.AT_RECURSIVE : 0);
    long n = MountCalls.openTree(LibC.AT_FDCWD, LibC.path(path.toString()), flags);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("open_tree(\"" + path + "\")", errno);
    }
    return new Fd((int) n);
  }

  /// A detached copy of the mount in which `place` was opened, with `place` as its root.
  static Fd openTree(Fd place) {
    int flags =
        MountCalls.OPEN_TREE_CLONE | MountCalls.OPEN_TREE_CLOEXEC | MountCalls.AT_EMPTY_PATH;
    long n = MountCalls.openTree(place.number(), FileCalls.EMPTY, flags);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("open_tree(" + place + ")", errno);
    }
    return new Fd((int) n);
  }

  /// What is at `path` in layers put together, as a detached mount that nobody can write to. Links
  /// are followed inside.
  ///
  /// @param lower at least one directory, the topmost first
  /// @param users by whose maps owners are seen, as [#mapOwners(Fd, Fd)] says
  /// @throws KernelException ENOENT if there is nothing at `path`
  public static Fd overlayView(List<Path> lower, String path, Optional<Fd> users) {
    return Overlay.view(lower, path, users);
  }

  /// Attaches a detached mount at `target`, which must exist.
  public static void attach(Fd mount, Path target) {
    byte[] to = LibC.path(target.toString());
    int flags = MountCalls.MOVE_MOUNT_F_EMPTY_PATH;
    if (MountCalls.moveMount(mount.number(), FileCalls.EMPTY, LibC.AT_FDCWD, to, flags) < 0) {
      int errno = LibC.errno();
      throw new KernelException("move_mount(" + mount + ", \"" + target + "\")", errno);
    }
  }

  /// Has a detached mount show and store the owners of files as `users` maps them: what the
  /// filesystem calls 0 is seen as the id that the namespace's 0 has on the host.
  ///
  /// @throws KernelException EINVAL if the filesystem can not do that
  public static void mapOwners(Fd mount, Fd users) {
    byte[] attributes = new byte[32];
    ByteBuffer.wrap(attributes)
        .order(ByteOrder.nativeOrder())
        .putLong(MountCalls.MOUNT_ATTR_IDMAP)
        .putLong(24, users.number());
    int flags = MountCalls.AT_EMPTY_PATH;
    if (MountCalls.mountSetattr(mount.number(), FileCalls.EMPTY, flags, attributes) < 0) {
      int errno = LibC.errno();
      throw new KernelException("mount_setattr(" + mount + ", MOUNT_ATTR_IDMAP)", errno);
    }
  }

  /// As [#overlay(List, Path, Path, boolean, String)], with lower layers whose owners are mapped by a user
  /// namespace, as [#mapOwners(Fd, Fd)] says. In `upper` are the owners that the host sees.
  ///
  /// @throws KernelException EINVAL if the filesystem of a layer can not map owners
  public static Fd mappedOverlay(
      List<Path> lower, Path upper, Path work, boolean vol, String label, Fd users) {
    return Overlay.mapped(lower, upper, work, vol, label, users);
  }

  /// A new filesystem that has no device, such as a tmpfs, detached; without set-id programs and
  /// devices.
  ///
  /// @param options `key=value` each, such as `size=65536`
  /// @throws KernelException EINVAL for an option that the filesystem does not take
  public static Fd filesystem(String type, List<String> options) {
    long n = MountCalls.fsopen(LibC.path(type), MountCalls.FSOPEN_CLOEXEC);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("fsopen(\"" + type + "\")", errno);
    }
    try (Fd context = new Fd((int) n)) {
      for (String option : options) {
        int equals = option.indexOf('=');
        byte[] key = LibC.path(option.substring(0, equals));
        byte[] value = LibC.path(option.substring(equals + 1));
        int set = MountCalls.FSCONFIG_SET_STRING;
        check(MountCalls.fsconfig(context.number(), set, key, value, 0), type + ", " + option);
      }
      int create = MountCalls.FSCONFIG_CMD_CREATE;
      check(MountCalls.fsconfig(context.number(), create, null, null, 0), type);
      long mount =
          MountCalls.fsmount(
              context.number(), MountCalls.FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
      check(mount, type);
      return new Fd((int) mount);
    }
  }

  private static void check(long result, String what) {
    if (result < 0) {
      int errno = LibC.errno();
      throw new KernelException("fsconfig(" + what + ")", errno);
    }
  }

  /// A new overlay filesystem, detached: `lower` read-only, the highest first, and `upper` for
  /// writes. It is used through the descriptor or attached; closing an unattached one ends it.
  ///
  /// @param lower at least one directory, the topmost first
  /// @param upper where changes go
  /// @param work an empty directory on the filesystem of `upper`
  /// @param vol without syncing (`volatile`): quick, and of no use after a power cut
  /// @param label what SELinux calls all files of it, `""` for what they are called where they lie
  /// @throws KernelException with the kernel's own words where it has any
  public static Fd overlay(List<Path> lower, Path upper, Path work, boolean vol, String label) {
    return Overlay.mount(lower, upper, work, vol, label);
  }

  /// The mount that a path is in, links followed.
  ///
  /// @throws KernelException ENOENT if there is nothing at `path`
  public static MountInfo of(Path path) {
    try (Fd place = Fd.open(path.toString(), Open.PATH)) {
      String number =
          KernelFiles.read("/proc/self/fdinfo/" + place.number())
              .lines()
              .filter(line -> line.startsWith(MOUNT_ID))
              .map(line -> line.substring(MOUNT_ID.length()).strip())
              .findFirst()
              .orElseThrow();
      int id = Integer.parseInt(number);
      return self().stream()
          .filter(mount -> mount.id() == id)
          .findFirst()
          .orElseThrow(() -> new KernelException("mountinfo of \"" + path + "\"", Errno.ENOENT));
    }
  }

  /// The mounts of this process's mount namespace, in the kernel's order: what lies on another one
  /// comes later.
  public static List<MountInfo> self() {
    return read("/proc/self/mountinfo");
  }

  /// The mounts of a process's mount namespace, as [#self()].
  ///
  /// @throws KernelException ENOENT, ESRCH or EINVAL if the process is gone
  public static List<MountInfo> of(int pid) {
    return read("/proc/" + pid + "/mountinfo");
  }

  private static List<MountInfo> read(String file) {
    try (Fd fd = Fd.open(file, Open.RDONLY)) {
      byte[] all = FdIo.readAll(fd, Integer.MAX_VALUE - 8);
      List<MountInfo> mounts = new ArrayList<>();
      new String(all, StandardCharsets.UTF_8)
          .lines()
          .forEach(line -> mounts.add(MountInfo.parse(line)));
      return mounts;
    }
  }
}
