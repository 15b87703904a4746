package dev.peapod.linux;

import java.util.concurrent.atomic.AtomicInteger;

/// An open file descriptor that is owned by this object and closed exactly once. Thread-safe.
public final class Fd implements AutoCloseable {
  private static final int CLOSED = -1;

  private final AtomicInteger number;

  /// Takes ownership of an open descriptor.
  public Fd(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a descriptor: " + number);
    }
    this.number = new AtomicInteger(number);
  }

  /// The descriptor's number.
  ///
  /// @throws IllegalStateException if it is closed
  public int number() {
    int n = number.get();
    if (n == CLOSED) {
      throw new IllegalStateException("descriptor is closed");
    }
    return n;
  }

  /// Whether the descriptor is still open.
  public boolean isOpen() {
    return number.get() != CLOSED;
  }

  /// Hands the descriptor to the caller, who must close it; this object is closed afterwards.
  public int release() {
    int n = number.getAndSet(CLOSED);
    if (n == CLOSED) {
      throw new IllegalStateException("descriptor is closed");
    }
    return n;
  }

  /// Another descriptor of the same open file, close-on-exec.
  public Fd duplicate() {
    int n = LibC.fcntl(number(), LibC.F_DUPFD_CLOEXEC, 0);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("fcntl(" + this + ", F_DUPFD_CLOEXEC)", errno);
    }
    return new Fd(n);
  }

  /// Reads and writes fail with EAGAIN where they would wait, for all who share the open file.
  public void setNonBlocking() {
    int n = number();
    int flags = (int) LibC.check(LibC.fcntl(n, LibC.F_GETFL, 0), "fcntl(F_GETFL)");
    LibC.check(LibC.fcntl(n, LibC.F_SETFL, flags | Open.NONBLOCK), "fcntl(F_SETFL)");
  }

  /// Opens the file at an absolute path, following links: for paths that the host's owner controls;
  /// for others see [Directory]. O_CLOEXEC is added.
  ///
  /// @param flags from [Open]
  public static Fd open(String path, int flags) {
    int n = LibC.openat(LibC.AT_FDCWD, LibC.path(path), flags | Open.CLOEXEC, 0);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("open(\"" + path + "\")", errno);
    }
    return new Fd(n);
  }

  /// As [#open(String, int)], making a regular file if there is none.
  ///
  /// @param mode permissions, less the umask
  public static Fd create(String path, int flags, int mode) {
    int f = flags | Open.CREAT | Open.CLOEXEC;
    int n = LibC.openat(LibC.AT_FDCWD, LibC.path(path), f, mode);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("open(\"" + path + "\", O_CREAT)", errno);
    }
    return new Fd(n);
  }

  /// Closes the descriptor; closing again does nothing. An error of close(2) is ignored, since
  /// the descriptor is gone either way.
  @Override
  public void close() {
    int n = number.getAndSet(CLOSED);
    if (n != CLOSED) {
      LibC.close(n);
    }
  }

  @Override
  public String toString() {
    return "fd " + number.get();
  }
}
