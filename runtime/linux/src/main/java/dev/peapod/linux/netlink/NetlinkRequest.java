package dev.peapod.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Builds one netlink message, or several in one datagram: a header, a fixed part, attributes that
/// may nest. Not thread-safe.
///
/// Numbers are in the machine's byte order unless a method says otherwise. What is written is
/// padded to 4 bytes as netlink wants it.
public final class NetlinkRequest {
  /// Flag of a message: it is a request.
  public static final int REQUEST = 0x1;

  /// Flag of a message: the kernel must answer even if all went well.
  public static final int ACK = 0x4;

  /// Flags of a message: answer with all there are.
  public static final int DUMP = 0x300;

  /// Flag of a message that makes something: replace what exists.
  public static final int REPLACE = 0x100;

  /// Flag of a message that makes something: fail if it exists.
  public static final int EXCLUSIVE = 0x200;

  /// Flag of a message that makes something: make it if it is missing.
  public static final int CREATE = 0x400;

  /// Flag of an attribute's type: it contains attributes.
  private static final int NESTED = 0x8000;

  private static final int HEADER = 16;

  private ByteBuffer buffer = ByteBuffer.allocate(512).order(ByteOrder.nativeOrder());
  private int messageStart = -1;

  /// Begins a message; the one before it ends.
  public NetlinkRequest message(int type, int flags) {
    endMessage();
    messageStart = buffer.position();
    room(HEADER);
    buffer.putInt(0).putShort((short) type).putShort((short) (flags | REQUEST));
    buffer.putInt(0).putInt(0);
    return this;
  }

  /// Appends one byte of a fixed part.
  public NetlinkRequest u8(int value) {
    room(1);
    buffer.put((byte) value);
    return this;
  }

  /// Appends two bytes of a fixed part.
  public NetlinkRequest u16(int value) {
    room(2);
    buffer.putShort((short) value);
    return this;
  }

  /// Appends two bytes of a fixed part, in network byte order.
  public NetlinkRequest be16(int value) {
    return u8(value >> 8).u8(value);
  }

  /// Appends four bytes of a fixed part.
  public NetlinkRequest u32(int value) {
    room(4);
    buffer.putInt(value);
    return this;
  }

  /// Appends an attribute of any bytes.
  public NetlinkRequest bytes(int type, byte[] value) {
    attribute(type, value.length);
    buffer.put(value);
    pad();
    return this;
  }

  /// Appends an attribute of text, with the NUL that ends it.
  public NetlinkRequest text(int type, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    attribute(type, bytes.length + 1);
    buffer.put(bytes).put((byte) 0);
    pad();
    return this;
  }

  /// Appends an attribute of one byte.
  public NetlinkRequest u8(int type, int value) {
    attribute(type, 1);
    buffer.put((byte) value);
    pad();
    return this;
  }

  /// Appends an attribute of four bytes.
  public NetlinkRequest u32(int type, int value) {
    attribute(type, 4);
    buffer.putInt(value);
    return this;
  }

  /// Appends an attribute whose value is what `contents` appends.
  public NetlinkRequest nested(int type, Runnable contents) {
    int start = buffer.position();
    attribute(type | NESTED, 0);
    contents.run();
    buffer.putShort(start, (short) (buffer.position() - start));
    return this;
  }

  /// Ends the last message and answers all of it, with the given sequence number in every header.
  byte[] encode(int sequence) {
    endMessage();
    byte[] bytes = Arrays.copyOf(buffer.array(), buffer.position());
    ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    for (int at = 0; at < bytes.length; at += align(view.getInt(at))) {
      view.putInt(at + 8, sequence);
    }
    return bytes;
  }

  static int align(int length) {
    return (length + 3) & ~3;
  }

  private void endMessage() {
    if (messageStart >= 0) {
      pad();
      buffer.putInt(messageStart, buffer.position() - messageStart);
    }
  }

  private void attribute(int type, int length) {
    pad();
    if (length + 4 > 0xffff) {
      throw new IllegalArgumentException("attribute of " + length + " bytes is too long");
    }
    room(align(length) + 4);
    buffer.putShort((short) (length + 4)).putShort((short) type);
  }

  private void pad() {
    room(3);
    while ((buffer.position() & 3) != 0) {
      buffer.put((byte) 0);
    }
  }

  private void room(int length) {
    if (buffer.remaining() < length) {
      byte[] larger = Arrays.copyOf(buffer.array(), (buffer.capacity() + length) * 2);
      int position = buffer.position();
      buffer = ByteBuffer.wrap(larger).order(ByteOrder.nativeOrder()).position(position);
    }
  }
}
