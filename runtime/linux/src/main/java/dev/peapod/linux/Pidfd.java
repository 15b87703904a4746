package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalInt;

/// A process by descriptor (pidfd_open(2)): never another one that got the same number later.
/// Thread-safe.
public final class Pidfd implements AutoCloseable {
  private static final int P_PIDFD = 3;
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int CLD_EXITED = 1;
  private static final int CLD_DUMPED = 3;
  private static final int POLLIN = 1;

  private final int pid;
  private final Fd fd;

  /// Takes ownership of a pidfd that came from elsewhere.
  ///
  /// @param pid the process's number, as this process sees it
  public Pidfd(int pid, Fd fd) {
    this.pid = pid;
    this.fd = fd;
  }

  /// The process that has this number now, if there is one (a zombie counts).
  public static Optional<Pidfd> open(int pid) {
    long n = LibC.syscall(ProcessCalls.SYS_PIDFD_OPEN, pid, 0, 0, 0, 0, 0);
    if (n < 0) {
      int errno = LibC.errno();
      if (errno == Errno.ESRCH) {
        return Optional.empty();
      }
      throw new KernelException("pidfd_open(" + pid + ")", errno);
    }
    return Optional.of(new Pidfd(pid, new Fd((int) n)));
  }

  /// The process's number, for messages; it may belong to another process by now.
  public int pid() {
    return pid;
  }

  /// The descriptor: readable ([EventLoop#IN]) once the process has exited. Still owned by this
  /// object.
  public Fd fd() {
    return fd;
  }

  /// Sends a signal: whether the process was there to get it (a zombie is).
  public boolean signal(int signal) {
    int n = fd.number();
    if (LibC.syscall(ProcessCalls.SYS_PIDFD_SEND_SIGNAL, n, signal, 0, 0, 0, 0) == 0) {
      return true;
    }
    int errno = LibC.errno();
    if (errno == Errno.ESRCH) {
      return false;
    }
    throw new KernelException("pidfd_send_signal(" + pid + ", " + signal + ")", errno);
  }

  /// Whether the process has not exited yet.
  public boolean isAlive() {
    byte[] poll = new byte[8];
    ByteBuffer.wrap(poll)
        .order(ByteOrder.nativeOrder())
        .putInt(fd.number())
        .putShort((short) POLLIN);
    while (true) {
      int n = EventCalls.poll(poll, 1, 0);
      if (n >= 0) {
        return n == 0;
      }
      int errno = LibC.errno();
      if (errno != Errno.EINTR) {
        throw new KernelException("poll(pidfd of " + pid + ")", errno);
      }
    }
  }

  /// Calls `action` once, on the loop's thread, when the process has exited.
  ///
  /// @return ends the waiting; close it before this object
  public EventLoop.Registration onExit(EventLoop loop, Runnable action) {
    return loop.registerOnce(fd, EventLoop.IN, events -> action.run());
  }

  /// Collects an exited child of this process without waiting: its exit status, or 128 + signal;
  /// empty while it lives.
  ///
  /// @throws KernelException ECHILD if it is no child, or collected already
  public OptionalInt reap() {
    byte[] info = new byte[128];
    while (ProcessCalls.waitid(P_PIDFD, fd.number(), info, WEXITED | WNOHANG) < 0) {
      int errno = LibC.errno();
      if (errno != Errno.EINTR) {
        throw new KernelException("waitid(" + pid + ")", errno);
      }
    }
    // siginfo_t: si_code at 8, si_status at 24
    ByteBuffer b = ByteBuffer.wrap(info).order(ByteOrder.nativeOrder());
    int code = b.getInt(8);
    if (code < CLD_EXITED || code > CLD_DUMPED) {
      return OptionalInt.empty();
    }
    int status = b.getInt(24);
    return OptionalInt.of(code == CLD_EXITED ? status : 128 + status);
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return "pidfd of " + pid;
  }
}
