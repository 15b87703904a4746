package dev.peapod.linux;

import com.sun.jna.Native;

/// Calls about files and directories, mapped directly. Paths end with a NUL.
final class FileCalls {
  static final long SYS_OPENAT2 = 437;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_EMPTY_PATH = 0x1000;
  static final long RESOLVE_NO_XDEV = 1;
  static final long RESOLVE_NO_MAGICLINKS = 2;
  static final long RESOLVE_NO_SYMLINKS = 4;
  static final long RESOLVE_BENEATH = 8;
  static final long RESOLVE_IN_ROOT = 16;
  static final byte[] EMPTY = {0};

  static {
    Native.register(FileCalls.class, "c");
  }

  private FileCalls() {}

  static native int statx(int directory, byte[] path, int flags, int mask, byte[] result);

  static native int mkdirat(int directory, byte[] path, int mode);

  static native int mkdir(byte[] path, int mode);

  static native int rmdir(byte[] path);

  static native int mknodat(int directory, byte[] path, int mode, long device);

  static native int symlinkat(byte[] target, int directory, byte[] path);

  static native int linkat(int from, byte[] fromPath, int to, byte[] toPath, int flags);

  static native int unlinkat(int directory, byte[] path, int flags);

  static native int renameat(int from, byte[] fromPath, int to, byte[] toPath);

  static native long readlinkat(int directory, byte[] path, byte[] result, long size);

  static native int fchownat(int directory, byte[] path, int uid, int gid, int flags);

  static native int fchmod(int fd, int mode);

  static native int chmod(byte[] path, int mode);

  /// `times` are two `struct timespec`.
  static native int utimensat(int directory, byte[] path, byte[] times, int flags);

  static native int futimens(int fd, byte[] times);

  static native int lsetxattr(byte[] path, byte[] name, byte[] value, long size, int flags);

  static native int setxattr(byte[] path, byte[] name, byte[] value, long size, int flags);

  static native int fsetxattr(int fd, byte[] name, byte[] value, long size, int flags);

  static native long lgetxattr(byte[] path, byte[] name, byte[] value, long size);

  static native long getxattr(byte[] path, byte[] name, byte[] value, long size);

  static native long llistxattr(byte[] path, byte[] list, long size);

  static native long flistxattr(int fd, byte[] list, long size);

  static native long fgetxattr(int fd, byte[] name, byte[] value, long size);

  static native long getdents64(int fd, byte[] buffer, long size);

  static native int fsync(int fd);

  static native int syncfs(int fd);

  static native int statfs(byte[] path, byte[] result);
}
