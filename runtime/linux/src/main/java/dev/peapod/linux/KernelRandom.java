package dev.peapod.linux;

/// The kernel's random numbers, fit for secrets. Thread-safe.
///
/// Unlike [java.security.SecureRandom] it starts at once: no security provider is looked for.
public final class KernelRandom {
  /// What getrandom(2) gives at once, never less.
  private static final int MOST = 256;

  private KernelRandom() {}

  /// Random bytes. Waits only if the kernel has just started and has no entropy yet.
  ///
  /// @param count at most 256
  public static byte[] bytes(int count) {
    if (count > MOST) {
      throw new IllegalArgumentException("at most " + MOST + " random bytes at a time");
    }
    byte[] bytes = new byte[count];
    LibC.check(LibC.getrandom(bytes, count, 0), "getrandom");
    return bytes;
  }
}
