package dev.peapod.image.layer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/// Decompresses gzip of any number of members (RFC 1952), inflating straight into the reader's
/// buffer.
///
/// Checksums of members are not verified: whoever reads verifies a digest of the whole. Zeros or
/// garbage after the last member are ignored, as gzip(1) does. Not thread-safe.
final class GunzipStream extends InputStream {
  private static final int BUFFER = 128 * 1024;
  private static final int TRAILER = 8;
  private static final int HEADER_CRC = 2;
  private static final int EXTRA = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;

  private final InputStream in;
  private final Inflater inflater = new Inflater(true);
  private final byte[] buffer = new byte[BUFFER];
  private int position;
  private int limit;
  private boolean inMember;
  private boolean first = true;
  private boolean ended;

  GunzipStream(InputStream in) {
    this.in = in;
  }

  static boolean isMagic(byte a, byte b) {
    return a == 0x1f && b == (byte) 0x8b;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    try {
      while (!ended) {
        if (!inMember && !startMember()) {
          ended = true;
          break;
        }
        int n = inflater.inflate(to, offset, length);
        if (inflater.finished()) {
          position = limit - inflater.getRemaining();
          inMember = false;
          for (int i = 0; i < TRAILER; i++) {
            next();
          }
        } else if (n == 0) {
          if (inflater.needsDictionary()) {
            throw new ZipException("gzip data wants a dictionary");
          }
          if (!fill()) {
            throw new EOFException("gzip data is cut off");
          }
          inflater.setInput(buffer, position, limit - position);
        }
        if (n > 0) {
          return n;
        }
      }
      return -1;
    } catch (DataFormatException e) {
      throw new ZipException("gzip data is damaged: " + e.getMessage());
    }
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }

  private boolean startMember() throws IOException {
    if (position == limit && !fill()) {
      if (first) {
        throw new EOFException("gzip data is cut off");
      }
      return false;
    }
    int a = next();
    if (position == limit && !fill()) {
      return false;
    }
    int b = next();
    if (!isMagic((byte) a, (byte) b)) {
      if (first) {
        throw new ZipException("not gzip data");
      }
      return false;
    }
    if (next() != 8) {
      throw new ZipException("gzip data uses an unknown method");
    }
    int flags = next();
    for (int i = 0; i < 6; i++) {
      next();
    }
    if ((flags & EXTRA) != 0) {
      int length = next() | next() << 8;
      for (int i = 0; i < length; i++) {
        next();
      }
    }
    for (int field = flags & (NAME | COMMENT); field != 0; field &= field - 1) {
      while (next() != 0) {
        // The field ends with its NUL.
      }
    }
    if ((flags & HEADER_CRC) != 0) {
      next();
      next();
    }
    first = false;
    inMember = true;
    inflater.reset();
    inflater.setInput(buffer, position, limit - position);
    return true;
  }

  private int next() throws IOException {
    if (position == limit && !fill()) {
      throw new EOFException("gzip data is cut off");
    }
    return buffer[position++] & 0xff;
  }

  private boolean fill() throws IOException {
    int n = in.read(buffer, 0, buffer.length);
    position = 0;
    limit = Math.max(0, n);
    return n > 0;
  }
}
