package dev.peapod.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A message from the kernel: its type and what follows the header. Immutable.
///
/// @param type the message's type
/// @param sequence the sequence number of the request that it answers
/// @param payload the fixed part and the attributes
public record NetlinkMessage(int type, int sequence, byte[] payload) {
  /// The byte at an offset of the fixed part, unsigned.
  public int u8(int offset) {
    return payload[offset] & 0xff;
  }

  /// The two bytes at an offset of the fixed part, unsigned.
  public int u16(int offset) {
    return view().getShort(offset) & 0xffff;
  }

  /// The four bytes at an offset of the fixed part.
  public int u32(int offset) {
    return view().getInt(offset);
  }

  /// The attributes after a fixed part of the given length.
  public Attributes attributes(int fixedLength) {
    return Attributes.parse(view().position(NetlinkRequest.align(fixedLength)));
  }

  private ByteBuffer view() {
    return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
  }

  /// Attributes by type; of a type that comes more than once the last counts, except in
  /// [#all(ByteBuffer)].
  public static final class Attributes {
    private static final int TYPE_MASK = 0x3fff;

    private final Map<Integer, ByteBuffer> values;

    private Attributes(Map<Integer, ByteBuffer> values) {
      this.values = values;
    }

    static Attributes parse(ByteBuffer from) {
      Map<Integer, ByteBuffer> values = new HashMap<>();
      walk(from, values::put);
      return new Attributes(values);
    }

    private static void walk(
        ByteBuffer from, java.util.function.BiConsumer<Integer, ByteBuffer> visitor) {
      ByteBuffer in = from.duplicate().order(ByteOrder.nativeOrder());
      while (in.remaining() >= 4) {
        int start = in.position();
        int length = in.getShort(start) & 0xffff;
        int type = in.getShort(start + 2) & TYPE_MASK;
        if (length < 4 || length > in.remaining()) {
          throw new IllegalStateException(
              "malformed netlink attribute " + type + " of " + length + " bytes");
        }
        visitor.accept(type, in.slice(start + 4, length - 4).order(ByteOrder.nativeOrder()));
        in.position(Math.min(in.limit(), start + NetlinkRequest.align(length)));
      }
    }

    /// Whether there is an attribute of that type.
    public boolean has(int type) {
      return values.containsKey(type);
    }

    /// The attribute as bytes.
    public Optional<byte[]> bytes(int type) {
      return Optional.ofNullable(values.get(type)).map(Attributes::copy);
    }

    /// The attribute as text, without the NUL that ends it.
    public Optional<String> text(int type) {
      return bytes(type)
          .map(
              b -> {
                int end = 0;
                while (end < b.length && b[end] != 0) {
                  end++;
                }
                return new String(b, 0, end, StandardCharsets.UTF_8);
              });
    }

    /// The attribute as a number of four bytes.
    public OptionalInt u32(int type) {
      ByteBuffer value = values.get(type);
      return value == null || value.remaining() < 4
          ? OptionalInt.empty()
          : OptionalInt.of(value.getInt(0));
    }

    /// The attribute as a number of one byte.
    public OptionalInt u8(int type) {
      ByteBuffer value = values.get(type);
      return value == null || !value.hasRemaining()
          ? OptionalInt.empty()
          : OptionalInt.of(value.get(0) & 0xff);
    }

    /// The attributes inside the attribute; none if it is not there.
    public Attributes nested(int type) {
      ByteBuffer value = values.get(type);
      return value == null ? new Attributes(Map.of()) : parse(value);
    }

    /// The attributes inside each of the attributes that the attribute is a list of.
    public List<Attributes> list(int type) {
      List<Attributes> list = new ArrayList<>();
      ByteBuffer value = values.get(type);
      if (value != null) {
        walk(value, (ignored, element) -> list.add(parse(element)));
      }
      return list;
    }

    private static byte[] copy(ByteBuffer value) {
      byte[] bytes = new byte[value.remaining()];
      value.get(value.position(), bytes);
      return bytes;
    }
  }
}
