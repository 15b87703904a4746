package dev.peapod.engine.launch;

/// CLONE_NEW* of clone(2), setns(2) and unshare(2).
public final class CloneFlags {
  public static final long NEWNS = 0x00020000;
  public static final long NEWCGROUP = 0x02000000;
  public static final long NEWUTS = 0x04000000;
  public static final long NEWIPC = 0x08000000;
  public static final long NEWUSER = 0x10000000;
  public static final long NEWPID = 0x20000000;
  public static final long NEWNET = 0x40000000;

  private CloneFlags() {}
}
