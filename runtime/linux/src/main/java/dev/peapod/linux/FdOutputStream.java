package dev.peapod.linux;

import com.sun.jna.Memory;
import java.io.OutputStream;
import java.util.Objects;

/// Writes to a descriptor that it owns; failures are [KernelException]s, ENOSPC for example.
final class FdOutputStream extends OutputStream {
  private final Fd fd;

  FdOutputStream(Fd fd) {
    this.fd = fd;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, data.length);
    Memory buffer = NativeBuffers.borrow();
    try {
      int done = 0;
      while (done < length) {
        int portion = Math.min(length - done, NativeBuffers.SIZE);
        buffer.write(0, data, offset + done, portion);
        long n = LibC.write(fd.number(), buffer, portion);
        if (n < 0) {
          int errno = LibC.errno();
          if (errno != Errno.EINTR) {
            throw new KernelException("write(" + fd + ", " + portion + " bytes)", errno);
          }
        } else {
          done += (int) n;
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
