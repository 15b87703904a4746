package dev.peapod.linux;

import java.util.Arrays;

/// One direction of a pipe, terminal or socket for blocking use on virtual threads: waiting is done on
/// an [EventLoop].
///
/// One thread reads or writes; [#end()] and [#close()] may come from any other.
public final class Stream implements AutoCloseable {
  private final Fd fd;
  private final Readiness readiness;

  private Stream(EventLoop loop, Fd fd, int events) {
    this.fd = fd;
    this.readiness = new Readiness(loop, fd, events);
  }

  /// For reading; takes ownership of the descriptor and makes it not blocking.
  public static Stream reader(EventLoop loop, Fd fd) {
    fd.setNonBlocking();
    return new Stream(loop, fd, EventLoop.IN);
  }

  /// For writing; takes ownership of the descriptor and makes it not blocking.
  public static Stream writer(EventLoop loop, Fd fd) {
    fd.setNonBlocking();
    return new Stream(loop, fd, EventLoop.OUT);
  }

  /// Waits for bytes: how many came, -1 at the end. A terminal that nobody holds any more is at its end.
  public int read(byte[] buffer) {
    boolean last = false;
    while (fd.isOpen()) {
      try {
        int n = FdIo.read(fd, buffer);
        return n == 0 ? -1 : n;
      } catch (KernelException e) {
        if (e.errno() == Errno.EIO || e.errno() == Errno.EAGAIN && last) {
          return -1;
        }
        if (e.errno() != Errno.EAGAIN) {
          throw e;
        }
      }
      // More may have come between the attempt and the end.
      last = !readiness.await();
    }
    return -1;
  }

  /// Writes all of it, waiting for room.
  ///
  /// @return false if the other end is closed or [#end()] was called: the rest is lost
  public boolean write(byte[] bytes) {
    int done = 0;
    while (done < bytes.length) {
      if (!fd.isOpen()) {
        return false;
      }
      byte[] rest = done == 0 ? bytes : Arrays.copyOfRange(bytes, done, bytes.length);
      long n = LibC.write(fd.number(), rest, rest.length);
      if (n >= 0) {
        done += (int) n;
        continue;
      }
      int errno = LibC.errno();
      if (errno == Errno.EAGAIN) {
        if (!readiness.await()) {
          return false;
        }
      } else if (errno == Errno.EPIPE || errno == Errno.EIO) {
        return false;
      } else if (errno != Errno.EINTR) {
        throw new KernelException("write(" + fd + ", " + rest.length + " bytes)", errno);
      }
    }
    return true;
  }

  /// From here on nothing is waited for: what is there is read to where it would block.
  public void end() {
    readiness.end();
  }

  @Override
  public void close() {
    readiness.end();
    fd.close();
  }
}
