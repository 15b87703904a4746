package dev.peapod.dns;

/// How answers turn out (RFC 1035, 6891).
final class Codes {
  static final int NO_ERROR = 0;
  static final int MALFORMED = 1;
  static final int FAILED = 2;
  static final int NO_NAME = 3;
  static final int NOT_IMPLEMENTED = 4;
  static final int REFUSED = 5;

  /// Has bits that only EDNS can say.
  static final int BAD_VERSION = 16;

  private Codes() {}

  /// That of a message with a whole header.
  static int of(byte[] message) {
    return message[3] & 0xf;
  }
}
