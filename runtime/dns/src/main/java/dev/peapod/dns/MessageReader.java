package dev.peapod.dns;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads the parts of a message one after the other; whatever is read beyond its end, or makes no sense, is a
/// [MalformedMessage]. For one thread.
final class MessageReader {
  private static final int POINTER = 0xc0;

  private final byte[] message;
  private int at;

  MessageReader(byte[] message, int from) {
    this.message = message;
    this.at = from;
  }

  int at() {
    return at;
  }

  int u8() {
    if (at >= message.length) {
      throw new MalformedMessage("it ends too early");
    }
    return message[at++] & 0xff;
  }

  int u16() {
    return u8() << 8 | u8();
  }

  void skip(int bytes) {
    if (bytes > message.length - at) {
      throw new MalformedMessage("it ends too early");
    }
    at += bytes;
  }

  byte[] bytes(int count) {
    int from = at;
    skip(count);
    return Arrays.copyOfRange(message, from, at);
  }

  /// A name as it stands there, without pointers to another place.
  Name plainName() {
    return name(false);
  }

  /// A name that may end with a pointer to what was said before.
  Name name() {
    return name(true);
  }

  private Name name(boolean pointers) {
    List<String> labels = new ArrayList<>();
    int back = -1;
    int limit = at;
    for (int length = u8(); length != 0; length = u8()) {
      if ((length & POINTER) == POINTER && pointers) {
        int target = (length & ~POINTER) << 8 | u8();
        back = back < 0 ? at : back;
        // Each one points farther back, so there is an end.
        if (target >= limit) {
          throw new MalformedMessage("a name points forward");
        }
        limit = target;
        at = target;
        continue;
      }
      if ((length & POINTER) != 0) {
        throw new MalformedMessage("a label of an unknown kind");
      }
      labels.add(new String(bytes(length), StandardCharsets.ISO_8859_1));
    }
    at = back < 0 ? at : back;
    try {
      return new Name(labels);
    } catch (IllegalArgumentException e) {
      throw new MalformedMessage(String.valueOf(e.getMessage()));
    }
  }
}
