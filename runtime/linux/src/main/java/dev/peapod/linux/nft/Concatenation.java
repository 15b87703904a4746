package dev.peapod.linux.nft;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;

/// Builds the key or data of a map of a concatenated type, such as `inet_proto . inet_service`. Not
/// thread-safe.
public final class Concatenation {
  private static final int REGISTER = 4;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(16);

  /// Appends an `inet_proto`.
  public Concatenation protocol(int number) {
    return part((byte) number);
  }

  /// Appends an `inet_service`.
  public Concatenation port(int port) {
    return part((byte) (port >> 8), (byte) port);
  }

  /// Appends an `ipv4_addr` or `ipv6_addr`.
  public Concatenation address(InetAddress address) {
    return part(address.getAddress());
  }

  /// What was appended.
  public byte[] toBytes() {
    return bytes.toByteArray();
  }

  private Concatenation part(byte... part) {
    bytes.writeBytes(part);
    while (bytes.size() % REGISTER != 0) {
      bytes.write(0);
    }
    return this;
  }
}
