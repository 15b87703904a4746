package dev.peapod.dns;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/// What somebody else has answered, as far as it can be said again.
///
/// @param records addresses and aliases
record Reply(int code, boolean truncated, List<DnsRecord> records) {
  private static final int TRUNCATED = 0x0200;
  private static final int IN = 1;

  /// @throws MalformedMessage if it is no message
  static Reply parse(byte[] message) {
    MessageReader counts = new MessageReader(message, 4);
    int questions = counts.u16();
    int answers = counts.u16();
    MessageReader reader = new MessageReader(message, Query.HEADER);
    for (int i = 0; i < questions; i++) {
      reader.name();
      reader.skip(4);
    }
    List<DnsRecord> records = new ArrayList<>();
    for (int i = 0; i < answers; i++) {
      Name owner = reader.name();
      int type = reader.u16();
      int klass = reader.u16();
      reader.skip(4);
      int length = reader.u16();
      int start = reader.at();
      if (klass == IN && (type == Types.A || type == Types.AAAA)) {
        records.add(new DnsRecord.Address(owner, address(type, reader.bytes(length))));
      } else if (klass == IN && type == Types.CNAME) {
        records.add(new DnsRecord.Alias(owner, new MessageReader(message, start).name()));
        reader.skip(length);
      } else {
        reader.skip(length);
      }
    }
    boolean truncated = (Query.flags(message) & TRUNCATED) != 0;
    return new Reply(Codes.of(message), truncated, List.copyOf(records));
  }

  private static InetAddress address(int type, byte[] bytes) {
    try {
      if (bytes.length == (type == Types.A ? 4 : 16)) {
        return InetAddress.getByAddress(bytes);
      }
    } catch (UnknownHostException e) {
      // Not of these lengths.
    }
    throw new MalformedMessage("an address of " + bytes.length + " bytes");
  }
}
