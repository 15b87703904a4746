package dev.peapod.linux;

import com.sun.jna.Native;
import org.jspecify.annotations.Nullable;

/// mount(2) and the calls of the newer mount interface, mapped directly. The latter have the same
/// numbers on every architecture. Strings end with a NUL.
final class MountCalls {
  static final int AT_EMPTY_PATH = 0x1000;
  static final int AT_RECURSIVE = 0x8000;
  static final int OPEN_TREE_CLONE = 1;
  static final int OPEN_TREE_CLOEXEC = 0x80000;
  static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  static final int FSOPEN_CLOEXEC = 1;
  static final int FSMOUNT_CLOEXEC = 1;
  static final int FSCONFIG_SET_FLAG = 0;
  static final int FSCONFIG_SET_STRING = 1;
  static final int FSCONFIG_CMD_CREATE = 6;
  static final long MOUNT_ATTR_IDMAP = 0x00100000;
  private static final long SYS_OPEN_TREE = 428;
  private static final long SYS_MOVE_MOUNT = 429;
  private static final long SYS_FSOPEN = 430;
  private static final long SYS_FSCONFIG = 431;
  private static final long SYS_FSMOUNT = 432;
  private static final long SYS_MOUNT_SETATTR = 442;

  static {
    Native.register(MountCalls.class, "c");
  }

  private MountCalls() {}

  static native int mount(
      byte[] source, byte[] target, byte @Nullable [] type, long flags, byte @Nullable [] data);

  static native int umount2(byte[] target, int flags);

  private static native long syscall(long number, byte[] a, long b);

  private static native long syscall(long number, long a, byte[] b, long c);

  private static native long syscall(
      long number, long a, long b, byte @Nullable [] c, byte @Nullable [] d, long e);

  private static native long syscall(long number, long a, byte[] b, long c, byte[] d, long e);

  static long fsopen(byte[] type, long flags) {
    return syscall(SYS_FSOPEN, type, flags);
  }

  static long fsconfig(
      int fd, long command, byte @Nullable [] key, byte @Nullable [] value, long aux) {
    return syscall(SYS_FSCONFIG, fd, command, key, value, aux);
  }

  static long fsmount(int fd, long flags, long attributes) {
    return LibC.syscall(SYS_FSMOUNT, fd, flags, attributes, 0, 0, 0);
  }

  static long openTree(int directory, byte[] path, long flags) {
    return syscall(SYS_OPEN_TREE, directory, path, flags);
  }

  static long mountSetattr(int mount, byte[] path, long flags, byte[] attributes) {
    return syscall(SYS_MOUNT_SETATTR, mount, path, flags, attributes, attributes.length);
  }

  static long moveMount(int from, byte[] fromPath, int to, byte[] toPath, long flags) {
    return syscall(SYS_MOVE_MOUNT, from, fromPath, to, toPath, flags);
  }
}
