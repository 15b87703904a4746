package dev.peapod.dns;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// A question that somebody asks.
///
/// @param message as it came; nobody may change it
/// @param end where the question ends in it
/// @param edns what follows of EDNS(0) (RFC 6891), if it is spoken
record Query(byte[] message, Name name, int type, int klass, int end, Optional<Edns> edns) {
  static final int HEADER = 12;
  private static final int RESPONSE = 0x8000;
  private static final int OPCODE = 0x7800;
  private static final int IN = 1;

  /// Bytes that every answer by datagram may have.
  private static final int SMALLEST = 512;

  /// Bytes of a datagram that no network cuts into pieces.
  private static final int LARGEST = 1232;

  /// What somebody says of himself.
  ///
  /// @param size bytes of the largest datagram that he takes
  record Edns(int size, int version) {}

  /// Whether there is somebody to answer at all: what is shorter has no number, and answers to answers have no end.
  static boolean isOne(byte[] message) {
    return message.length >= HEADER && (flags(message) & RESPONSE) == 0;
  }

  /// What kind of query it is, 0 where it is a question.
  static int opcode(byte[] message) {
    return (flags(message) & OPCODE) >> 11;
  }

  static int flags(byte[] message) {
    return u16(message, 2);
  }

  private static int u16(byte[] message, int at) {
    return (message[at] & 0xff) << 8 | message[at + 1] & 0xff;
  }

  /// @param message for which [#isOne] holds
  /// @throws MalformedMessage if that is no question
  static Query parse(byte[] message) {
    if (u16(message, 4) != 1) {
      throw new MalformedMessage("it does not ask one question");
    }
    MessageReader reader = new MessageReader(message, HEADER);
    Name name = reader.plainName();
    int type = reader.u16();
    int klass = reader.u16();
    int end = reader.at();
    int records = u16(message, 6) + u16(message, 8) + u16(message, 10);
    Optional<Edns> edns = Optional.empty();
    for (int i = 0; i < records; i++) {
      Name owner = reader.name();
      int recordType = reader.u16();
      int size = reader.u16();
      reader.skip(1);
      int version = reader.u8();
      reader.skip(2);
      reader.skip(reader.u16());
      if (recordType == Types.OPT) {
        if (edns.isPresent() || !owner.labels().isEmpty()) {
          throw new MalformedMessage("EDNS is said twice, or of a name");
        }
        edns = Optional.of(new Edns(size, version));
      }
    }
    if (type == Types.OPT) {
      throw new MalformedMessage("EDNS is asked for");
    }
    return new Query(message, name, type, klass, end, edns);
  }

  /// A question of our own.
  static Query of(Name name, int type) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(64);
    // Recursion is wanted, and there is one question.
    out.writeBytes(new byte[] {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    for (String label : name.labels()) {
      out.write(label.length());
      out.writeBytes(label.getBytes(StandardCharsets.ISO_8859_1));
    }
    out.writeBytes(new byte[] {0, (byte) (type >> 8), (byte) type, 0, IN});
    byte[] message = out.toByteArray();
    return new Query(message, name, type, IN, message.length, Optional.empty());
  }

  /// Whether it is of the one class that there is.
  boolean isOfTheInternet() {
    return klass == IN;
  }

  /// How many bytes an answer may have.
  ///
  /// @param stream whether it goes by TCP
  int limit(boolean stream) {
    if (stream) {
      return 0xffff;
    }
    int asked = edns.map(Edns::size).orElse(SMALLEST);
    return Math.clamp(asked, SMALLEST, LARGEST);
  }

  /// Whether what somebody answers is an answer to this.
  ///
  /// @param id the number that he was asked by
  boolean isAnsweredBy(byte[] reply, int id) {
    if (reply.length < HEADER
        || u16(reply, 0) != id
        || (flags(reply) & RESPONSE) == 0
        || (flags(reply) & OPCODE) != 0) {
      return false;
    }
    try {
      if (u16(reply, 4) != 1) {
        // Who understood nothing need not repeat it.
        return u16(reply, 4) == 0 && Codes.of(reply) != Codes.NO_ERROR;
      }
      MessageReader reader = new MessageReader(reply, HEADER);
      return reader.plainName().equals(name) && reader.u16() == type && reader.u16() == klass;
    } catch (MalformedMessage e) {
      return false;
    }
  }

  /// The number that it came with.
  int id() {
    return u16(message, 0);
  }

  /// A message with another number.
  static byte[] numbered(byte[] message, int id) {
    byte[] copy = Arrays.copyOf(message, message.length);
    copy[0] = (byte) (id >> 8);
    copy[1] = (byte) id;
    return copy;
  }
}
