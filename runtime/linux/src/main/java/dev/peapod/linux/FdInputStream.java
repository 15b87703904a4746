package dev.peapod.linux;

import com.sun.jna.Memory;
import java.io.InputStream;
import java.util.Objects;

/// Reads from a descriptor that it owns; failures are [KernelException]s.
final class FdInputStream extends InputStream {
  private final Fd fd;

  FdInputStream(Fd fd) {
    this.fd = fd;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] data, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, data.length);
    if (length == 0) {
      return 0;
    }
    Memory buffer = NativeBuffers.borrow();
    try {
      while (true) {
        long n = LibC.read(fd.number(), buffer, Math.min(length, NativeBuffers.SIZE));
        if (n > 0) {
          buffer.read(0, data, offset, (int) n);
          return (int) n;
        }
        if (n == 0) {
          return -1;
        }
        int errno = LibC.errno();
        if (errno != Errno.EINTR) {
          throw new KernelException("read(" + fd + ")", errno);
        }
      }
    } finally {
      NativeBuffers.giveBack(buffer);
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
