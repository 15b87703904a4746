package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/// What statfs(2) says of a filesystem.
///
/// @param type its magic number, such as [#CGROUP2]
/// @param totalBytes its size
/// @param availableBytes what an ordinary user may still take
/// @param totalInodes 0 where the filesystem has no fixed number
/// @param freeInodes those not taken
public record FsStat(
    long type, long totalBytes, long availableBytes, long totalInodes, long freeInodes) {
  public static final long CGROUP2 = 0x63677270;
  public static final long TMPFS = 0x01021994;
  public static final long OVERLAY = 0x794c7630;
  public static final long NSFS = 0x6e736673;
  public static final long PROC = 0x9fa0;

  /// The filesystem that `path` is on.
  public static FsStat of(Path path) {
    byte[] b = new byte[120];
    if (FileCalls.statfs(LibC.path(path.toString()), b) < 0) {
      int errno = LibC.errno();
      throw new KernelException("statfs(\"" + path + "\")", errno);
    }
    ByteBuffer s = ByteBuffer.wrap(b).order(ByteOrder.nativeOrder());
    long block = s.getLong(72);
    return new FsStat(
        s.getLong(0), s.getLong(16) * block, s.getLong(32) * block, s.getLong(40), s.getLong(48));
  }
}
