package dev.peapod.linux.systemd;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Values as they stand in messages, little-endian, each at a multiple of its size (D-Bus specification, "Marshaling").
final class Marshalled {
  private byte[] bytes = new byte[512];
  private int length;

  /// What was written.
  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  int length() {
    return length;
  }

  Marshalled align(int to) {
    reserve((to - length % to) % to);
    return this;
  }

  Marshalled octet(int value) {
    int at = reserve(1);
    bytes[at] = (byte) value;
    return this;
  }

  Marshalled octets(byte[] values) {
    int at = reserve(values.length);
    System.arraycopy(values, 0, bytes, at, values.length);
    return this;
  }

  Marshalled number(int value) {
    align(4);
    put(reserve(4), value);
    return this;
  }

  Marshalled large(long value) {
    align(8);
    int at = reserve(8);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
    return this;
  }

  Marshalled flag(boolean value) {
    return number(value ? 1 : 0);
  }

  /// A string or a path.
  Marshalled text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return number(utf8.length).octets(utf8).octet(0);
  }

  Marshalled signature(String value) {
    byte[] ascii = value.getBytes(StandardCharsets.US_ASCII);
    return octet(ascii.length).octets(ascii).octet(0);
  }

  /// An array.
  ///
  /// @param alignment of its elements, which its length does not count
  /// @param elements writes them to this
  Marshalled array(int alignment, Runnable elements) {
    align(4);
    int at = reserve(4);
    align(alignment);
    int start = length;
    elements.run();
    put(at, length - start);
    return this;
  }

  private void put(int at, int value) {
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
  }

  private int reserve(int count) {
    int at = length;
    if (at + count > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, at + count));
    }
    length += count;
    return at;
  }
}
