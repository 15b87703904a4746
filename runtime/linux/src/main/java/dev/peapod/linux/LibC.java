package dev.peapod.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// The C library's entry points, mapped directly, for this module alone.
///
/// Each native method answers what the C function answers; callers turn -1 into a
/// [KernelException] by [#check(long, String)]. Calls block the calling carrier thread, so only
/// calls that do not wait belong on virtual threads.
public final class LibC {
  static {
    Native.register(LibC.class, "c");
  }

  private LibC() {}

  /// syscall(2): for calls that the C library does not wrap. Arguments are passed as words.
  public static native long syscall(long number, long a, long b, long c, long d, long e, long f);

  public static native int close(int fd);

  public static native long read(int fd, Pointer buffer, long count);

  public static native long write(int fd, Pointer buffer, long count);

  private static native Pointer strerror_r(int errno, Pointer buffer, long size);

  /// Throws with the current thread's errno if `result` is -1, otherwise answers `result`.
  ///
  /// @param call what was called, with its arguments
  public static long check(long result, String call) {
    if (result == -1) {
      throw new KernelException(call, Native.getLastError());
    }
    return result;
  }

  static String strerror(int errno) {
    try (Memory buffer = new Memory(256)) {
      return strerror_r(errno, buffer, buffer.size()).getString(0);
    }
  }
}
