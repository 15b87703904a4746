package dev.peapod.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// The calls beneath [TreeWriter], with pointers where [FileCalls] has arrays: a layer has many
/// files.
final class TreeCalls {
  static {
    Native.register(TreeCalls.class, "c");
  }

  private TreeCalls() {}

  static native int fchmod(int fd, int mode);

  static native int openat(int directory, Pointer name, int flags, int mode);

  static native int mkdirat(int directory, Pointer name, int mode);

  static native int mknodat(int directory, Pointer name, int mode, long device);

  static native int symlinkat(Pointer target, int directory, Pointer name);

  static native int linkat(int fromDirectory, Pointer from, int toDirectory, Pointer to, int flags);

  static native long readlinkat(int directory, Pointer name, Pointer buffer, long size);

  static native int fchownat(int directory, Pointer name, int uid, int gid, int flags);

  static native int fchown(int fd, int uid, int gid);

  static native int fchmodat(int directory, Pointer name, int mode, int flags);

  static native int utimensat(int directory, Pointer name, Pointer times, int flags);

  static native int futimens(int fd, Pointer times);

  static native int fsetxattr(int fd, Pointer name, Pointer value, long size, int flags);

  static native int sync_file_range(int fd, long offset, long count, int flags);
}
