package dev.peapod.linux.systemd;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A message that was received: what of its header is looked at, and its body.
///
/// @param replyTo the serial of the call that it answers, 0 for none
/// @param member the signal's name, `""` for none
/// @param error the error's name, `""` for none
record Message(Type type, int replyTo, String member, String error, ByteBuffer body) {
  /// In the order of their numbers in the specification.
  enum Type {
    INVALID,
    CALL,
    RETURN,
    ERROR,
    SIGNAL
  }

  /// The fixed part of the header and the length of the array of fields after it.
  static final int PREFIX = 16;

  private static final int MAX = 1 << 20;

  /// How many bytes follow after the prefix.
  static int rest(ByteBuffer prefix) throws IOException {
    order(prefix);
    long body = Integer.toUnsignedLong(prefix.getInt(4));
    long fields = Integer.toUnsignedLong(prefix.getInt(12));
    if (body > MAX || fields > MAX) {
      throw new IOException("a message of " + body + " and " + fields + " bytes");
    }
    return (int) (padded(fields) + body);
  }

  static Message parse(ByteBuffer whole) throws IOException {
    order(whole);
    int type = whole.get(1);
    int end = PREFIX + whole.getInt(12);
    int replyTo = 0;
    String member = "";
    String error = "";
    try {
      whole.position(PREFIX);
      while (whole.position() < end) {
        align(whole, 8);
        int field = whole.get();
        whole.position(whole.position() + 1);
        char kind = (char) whole.get();
        whole.position(whole.position() + 1);
        switch (kind) {
          case 's', 'o' -> {
            String text = text(whole);
            if (field == 3) {
              member = text;
            } else if (field == 4) {
              error = text;
            }
          }
          case 'u' -> {
            int number = number(whole);
            replyTo = field == 5 ? number : replyTo;
          }
          case 'g' -> whole.position(whole.position() + 2 + Byte.toUnsignedInt(whole.get(whole.position())));
          default -> throw new IOException("a header field of type " + kind);
        }
      }
      whole.position((int) padded(end));
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new IOException("a message that is none", e);
    }
    Type known = type >= 0 && type < Type.values().length ? Type.values()[type] : Type.INVALID;
    return new Message(known, replyTo, member, error, whole);
  }

  private static void order(ByteBuffer message) {
    message.order(message.get(0) == 'l' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
  }

  private static long padded(long length) {
    return (length + 7) & ~7L;
  }

  private static void align(ByteBuffer in, int to) {
    in.position((in.position() + to - 1) / to * to);
  }

  /// The next number of the body, or of what is being parsed.
  static int number(ByteBuffer in) {
    align(in, 4);
    return in.getInt();
  }

  /// The next string or path.
  static String text(ByteBuffer in) {
    byte[] utf8 = new byte[number(in)];
    in.get(utf8);
    in.position(in.position() + 1);
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
