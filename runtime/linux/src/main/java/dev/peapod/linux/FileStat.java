package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/// What statx(2) says of a file.
///
/// @param mode sort and permissions, see [Open#S_IFMT]
/// @param uid owner, 0 to 2^32-1
/// @param gid group, 0 to 2^32-1
/// @param size bytes
/// @param blocks space taken, in units of 512 bytes
/// @param links how many names it has
/// @param inode number, unique within its device
/// @param device the filesystem's device, as [#device(int, int)] makes it
/// @param special the device that a device node stands for, else 0
/// @param modified when its contents last changed
public record FileStat(
    int mode,
    long uid,
    long gid,
    long size,
    long blocks,
    long links,
    long inode,
    long device,
    long special,
    Instant modified) {
  static final int BASIC = 0x7ff;
  static final int SIZE = 256;

  /// The file that a descriptor is open on.
  public static FileStat of(Fd fd) {
    return at(fd.number(), FileCalls.EMPTY, FileCalls.AT_EMPTY_PATH, fd.toString());
  }

  static FileStat at(int directory, byte[] path, int flags, String name) {
    byte[] b = new byte[SIZE];
    if (FileCalls.statx(directory, path, flags, BASIC, b) < 0) {
      int errno = LibC.errno();
      throw new KernelException("statx(" + name + ")", errno);
    }
    ByteBuffer s = ByteBuffer.wrap(b).order(ByteOrder.nativeOrder());
    return new FileStat(
        Short.toUnsignedInt(s.getShort(28)),
        Integer.toUnsignedLong(s.getInt(20)),
        Integer.toUnsignedLong(s.getInt(24)),
        s.getLong(40),
        s.getLong(48),
        Integer.toUnsignedLong(s.getInt(16)),
        s.getLong(32),
        device(s.getInt(136), s.getInt(140)),
        device(s.getInt(128), s.getInt(132)),
        Instant.ofEpochSecond(s.getLong(112), s.getInt(120)));
  }

  /// A device number as mknod(2) takes it (`dev_t` of the C library).
  public static long device(int major, int minor) {
    return (minor & 0xffL)
        | (major & 0xfffL) << 8
        | (minor & 0xffffff00L) << 12
        | (major & 0xfffff000L) << 32;
  }

  public boolean isDirectory() {
    return (mode & Open.S_IFMT) == Open.S_IFDIR;
  }

  public boolean isRegular() {
    return (mode & Open.S_IFMT) == Open.S_IFREG;
  }

  public boolean isLink() {
    return (mode & Open.S_IFMT) == Open.S_IFLNK;
  }

  /// The permission bits, setuid, setgid and sticky included.
  public int permissions() {
    return mode & 0xfff;
  }
}
