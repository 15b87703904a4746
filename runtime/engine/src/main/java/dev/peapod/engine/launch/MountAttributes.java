package dev.peapod.engine.launch;

/// MOUNT_ATTR_* of mount_setattr(2) and the MS_* propagation types it takes.
public final class MountAttributes {
  public static final long RDONLY = 0x1;
  public static final long NOSUID = 0x2;
  public static final long NODEV = 0x4;
  public static final long NOEXEC = 0x8;
  public static final long NOATIME = 0x10;
  public static final long STRICTATIME = 0x20;

  /// All bits of which one says how access times are kept.
  public static final long ATIME = 0x70;

  public static final long NODIRATIME = 0x80;
  public static final long NOSYMFOLLOW = 0x200000;

  /// MS_PRIVATE.
  public static final long PRIVATE = 1L << 18;

  /// MS_SLAVE.
  public static final long SLAVE = 1L << 19;

  /// MS_SHARED.
  public static final long SHARED = 1L << 20;

  private MountAttributes() {}
}
