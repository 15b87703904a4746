package dev.peapod.linux;

/// Flags of open(2) and modes of files, with this machine's values.
public final class Open {
  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");

  public static final int RDONLY = 0;
  public static final int WRONLY = 1;
  public static final int RDWR = 2;
  public static final int CREAT = 0x40;
  public static final int EXCL = 0x80;
  public static final int NOCTTY = 0x100;
  public static final int TRUNC = 0x200;
  public static final int APPEND = 0x400;
  public static final int NONBLOCK = 0x800;
  public static final int CLOEXEC = 0x80000;
  public static final int PATH = 0x200000;
  public static final int DIRECTORY = ARM ? 0x4000 : 0x10000;
  public static final int NOFOLLOW = ARM ? 0x8000 : 0x20000;

  /// The bits of a mode that say what sort of file it is.
  public static final int S_IFMT = 0xf000;

  public static final int S_IFIFO = 0x1000;
  public static final int S_IFCHR = 0x2000;
  public static final int S_IFDIR = 0x4000;
  public static final int S_IFBLK = 0x6000;
  public static final int S_IFREG = 0x8000;
  public static final int S_IFLNK = 0xa000;
  public static final int S_IFSOCK = 0xc000;

  private Open() {}
}
