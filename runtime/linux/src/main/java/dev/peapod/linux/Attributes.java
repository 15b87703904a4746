package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/// Owner, mode, times and extended attributes of what a descriptor is open on.
///
/// Set the owner first: changing it clears setuid and setgid bits and file capabilities.
public final class Attributes {
  private Attributes() {}

  /// fchown(2).
  ///
  /// @param uid 0 to 2^32-2
  /// @param gid 0 to 2^32-2
  public static void chown(Fd fd, long uid, long gid) {
    int u = id(uid);
    int g = id(gid);
    if (FileCalls.fchownat(fd.number(), FileCalls.EMPTY, u, g, FileCalls.AT_EMPTY_PATH) < 0) {
      int errno = LibC.errno();
      throw new KernelException("fchown(" + fd + ", " + uid + ", " + gid + ")", errno);
    }
  }

  /// fchmod(2); the mode is exact.
  public static void chmod(Fd fd, int mode) {
    if (FileCalls.fchmod(fd.number(), mode) < 0) {
      int errno = LibC.errno();
      throw new KernelException("fchmod(" + fd + ", " + Integer.toOctalString(mode) + ")", errno);
    }
  }

  /// futimens(3): when it was last read and changed.
  public static void setTimes(Fd fd, Instant accessed, Instant modified) {
    if (FileCalls.futimens(fd.number(), times(accessed, modified)) < 0) {
      int errno = LibC.errno();
      throw new KernelException("futimens(" + fd + ", " + modified + ")", errno);
    }
  }

  /// fsetxattr(2), made or replaced.
  public static void setXattr(Fd fd, String name, byte[] value) {
    if (FileCalls.fsetxattr(fd.number(), LibC.path(name), value, value.length, 0) < 0) {
      int errno = LibC.errno();
      throw new KernelException("fsetxattr(" + fd + ", " + name + ")", errno);
    }
  }

  static byte[] times(Instant accessed, Instant modified) {
    byte[] times = new byte[32];
    ByteBuffer.wrap(times)
        .order(ByteOrder.nativeOrder())
        .putLong(accessed.getEpochSecond())
        .putLong(accessed.getNano())
        .putLong(modified.getEpochSecond())
        .putLong(modified.getNano());
    return times;
  }

  /// The kernel's word for an id; 2^32-1 would mean "unchanged" and is refused like all that does
  /// not fit, so that no id wraps to another one.
  static int id(long id) {
    if (id < 0 || id > 0xfffffffeL) {
      throw new KernelException("chown(id " + id + ")", Errno.EINVAL);
    }
    return (int) id;
  }
}
