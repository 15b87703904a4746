package dev.peapod.linux.netlink;

import java.util.Arrays;
import java.util.HexFormat;

/// An Ethernet hardware address.
///
/// @param value the 48 bits as a number, the first byte highest
public record MacAddress(long value) {
  private static final HexFormat COLONS = HexFormat.ofDelimiter(":");
  private static final int BYTES = 6;

  /// @throws IllegalArgumentException if there are more than 48 bits
  public MacAddress {
    if (value >>> 48 != 0) {
      throw new IllegalArgumentException("not a hardware address: " + value);
    }
  }

  /// @throws IllegalArgumentException if it is not six bytes
  public static MacAddress of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("not a hardware address: " + Arrays.toString(bytes));
    }
    long value = 0;
    for (byte b : bytes) {
      value = value << 8 | b & 0xff;
    }
    return new MacAddress(value);
  }

  /// Reads the form `0a:58:0a:58:00:02`.
  ///
  /// @throws IllegalArgumentException if it is not of that form
  public static MacAddress parse(String text) {
    return of(COLONS.parseHex(text));
  }

  /// The six bytes, as on the wire.
  public byte[] bytes() {
    byte[] bytes = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      bytes[i] = (byte) (value >>> 8 * (BYTES - 1 - i));
    }
    return bytes;
  }

  @Override
  public String toString() {
    return COLONS.formatHex(bytes());
  }
}
