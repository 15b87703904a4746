package dev.peapod.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;

/// The C library's entry points that every facility needs, mapped directly, for this module alone.
///
/// Each native method answers what the C function answers; callers turn -1 into a
/// [KernelException]. Calls block the calling carrier thread, so only calls that do not wait belong
/// on virtual threads. Facilities with calls of their own have mapping classes of their own, so
/// that a program pays for what it uses.
public final class LibC {
  /// "The working directory" where an at-call takes a directory; absolute paths ignore it.
  public static final int AT_FDCWD = -100;

  static final int F_DUPFD_CLOEXEC = 1030;
  static final int F_GETFL = 3;
  static final int F_SETFL = 4;

  /// JNA ends its cleaner thread when it tracks no memory and starts it again from whichever thread
  /// allocates next. Were that a thread inside another namespace, the cleaner would live there and
  /// hold the namespace; this block, never freed, keeps the first cleaner alive.
  private static final Memory KEEP_CLEANER;

  static {
    Native.register(LibC.class, "c");
    KEEP_CLEANER = new Memory(8);
  }

  private LibC() {}

  /// Binds the calls, which the first of them would otherwise wait for.
  public static void load() {}

  /// syscall(2): for calls that the C library does not wrap. Arguments are passed as words.
  public static native long syscall(long number, long a, long b, long c, long d, long e, long f);

  /// syscall(2) for openat2(2)-like calls: descriptor, path, structure, its size.
  static native long syscall(long number, long a, byte[] b, byte[] c, long d);

  public static native int close(int fd);

  public static native long read(int fd, Pointer buffer, long count);

  public static native long read(int fd, byte[] buffer, long count);

  static native long pread(int fd, byte[] buffer, long count, long offset);

  public static native long write(int fd, Pointer buffer, long count);

  public static native long write(int fd, byte[] buffer, long count);

  /// openat(2); the path ends with a NUL, see [#path(String)].
  static native int openat(int directory, byte[] path, int flags, int mode);

  static native int fcntl(int fd, int command, long argument);

  /// `time` is a `struct timespec`.
  static native int clock_gettime(int clock, byte[] time);

  static native long getrandom(byte[] buffer, long count, int flags);

  private static native Pointer strerror_r(int errno, Pointer buffer, long size);

  /// The errno of the last native call of this thread. Read it before anything that might wait: a
  /// virtual thread may go on elsewhere.
  public static int errno() {
    return Native.getLastError();
  }

  /// Throws with the current thread's errno if `result` is -1, otherwise answers `result`.
  ///
  /// @param call what was called, with its arguments; where building the text costs something on a
  ///     hot path, compare and throw by hand
  public static long check(long result, String call) {
    if (result == -1) {
      throw new KernelException(call, Native.getLastError());
    }
    return result;
  }

  /// The bytes of a path (or another string) for the kernel: UTF-8, ended by a NUL.
  ///
  /// @throws KernelException EINVAL if there is a NUL inside
  public static byte[] path(String path) {
    if (path.indexOf('\0') >= 0) {
      throw new KernelException("path \"" + path.replace("\0", "\\0") + "\"", Errno.EINVAL);
    }
    byte[] text = path.getBytes(StandardCharsets.UTF_8);
    byte[] bytes = new byte[text.length + 1];
    System.arraycopy(text, 0, bytes, 0, text.length);
    return bytes;
  }

  static String strerror(int errno) {
    try (Memory buffer = new Memory(256)) {
      return strerror_r(errno, buffer, buffer.size()).getString(0);
    }
  }
}
