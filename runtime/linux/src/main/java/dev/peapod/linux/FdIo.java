package dev.peapod.linux;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/// Reads and writes of whole small contents at descriptors.
///
/// A call that waits (a pipe, a socket) holds the calling thread's carrier: for descriptors that
/// wait, use a platform thread or the [EventLoop].
public final class FdIo {
  private static final int CHUNK = 65536;

  private FdIo() {}

  /// Writes `data` from `from` to its end, going on after short writes and interruptions.
  public static void writeAll(Fd fd, byte[] data, int from) {
    int done = from;
    while (done < data.length) {
      byte[] rest = done == 0 ? data : Arrays.copyOfRange(data, done, data.length);
      long n = LibC.write(fd.number(), rest, rest.length);
      if (n < 0) {
        int errno = LibC.errno();
        if (errno != Errno.EINTR) {
          throw new KernelException("write(" + fd + ", " + rest.length + " bytes)", errno);
        }
      } else {
        done += (int) n;
      }
    }
  }

  /// Reads until the end, at most `max` bytes.
  ///
  /// @throws KernelException EFBIG if there is more
  public static byte[] readAll(Fd fd, int max) {
    byte[] chunk = new byte[Math.clamp(max + 1L, 1, 4096)];
    byte[] all = new byte[0];
    while (true) {
      long n = read(fd, chunk);
      if (n <= 0) {
        return all;
      }
      if (all.length + n > max) {
        throw new KernelException("read(" + fd + ", at most " + max + " bytes)", Errno.EFBIG);
      }
      int old = all.length;
      all = Arrays.copyOf(all, old + (int) n);
      System.arraycopy(chunk, 0, all, old, (int) n);
      if (n == chunk.length && chunk.length < CHUNK) {
        chunk = new byte[chunk.length * 4];
      }
    }
  }

  /// A stream that writes to the descriptor, unbuffered; closing it closes the descriptor. Not
  /// thread-safe.
  public static OutputStream output(Fd fd) {
    return new FdOutputStream(fd);
  }

  /// A stream that reads from the descriptor, unbuffered; closing it closes the descriptor. Not
  /// thread-safe.
  public static InputStream input(Fd fd) {
    return new FdInputStream(fd);
  }

  /// read(2) once, again after an interruption: how many bytes came, 0 at the end.
  public static int read(Fd fd, byte[] buffer) {
    while (true) {
      long n = LibC.read(fd.number(), buffer, buffer.length);
      if (n >= 0) {
        return (int) n;
      }
      int errno = LibC.errno();
      if (errno != Errno.EINTR) {
        throw new KernelException("read(" + fd + ")", errno);
      }
    }
  }
}
