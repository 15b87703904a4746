package dev.peapod.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/// The entries of an open directory from its present offset on, `.` and `..` left out, read in
/// portions (getdents64(2)). For one iteration.
final class Entries implements Iterable<RawEntry>, Iterator<RawEntry> {
  private static final int PORTION = 16384;
  private static final int NAME = 19;

  private final Fd directory;
  private final ArrayDeque<RawEntry> portion = new ArrayDeque<>();
  private boolean ended;

  Entries(Fd directory) {
    this.directory = directory;
  }

  @Override
  public Iterator<RawEntry> iterator() {
    return this;
  }

  @Override
  public boolean hasNext() {
    while (portion.isEmpty() && !ended) {
      read();
    }
    return !portion.isEmpty();
  }

  @Override
  public RawEntry next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return portion.remove();
  }

  private void read() {
    byte[] buffer = new byte[PORTION];
    long length = FileCalls.getdents64(directory.number(), buffer, buffer.length);
    if (length < 0) {
      int errno = LibC.errno();
      throw new KernelException("getdents64(" + directory + ")", errno);
    }
    ended = length == 0;
    ByteBuffer b = ByteBuffer.wrap(buffer).order(ByteOrder.nativeOrder());
    int size;
    for (int at = 0; at < length; at += size) {
      size = Short.toUnsignedInt(b.getShort(at + 16));
      int end = at + NAME;
      while (buffer[end] != 0) {
        end++;
      }
      int n = end - at - NAME;
      boolean dots =
          n == 1 && buffer[at + NAME] == '.'
              || n == 2 && buffer[at + NAME] == '.' && buffer[at + NAME + 1] == '.';
      if (!dots) {
        // d_type is the sort's four bits of the mode.
        int type = Byte.toUnsignedInt(buffer[at + 18]) << 12;
        portion.add(new RawEntry(Arrays.copyOfRange(buffer, at + NAME, end + 1), type));
      }
    }
  }
}
