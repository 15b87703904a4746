package dev.peapod.dns;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Writes the answer to a question; names that were said before are pointed to. For one thread.
final class MessageWriter {
  private static final int RESPONSE = 0x8000;
  private static final int AUTHORITATIVE = 0x0400;
  private static final int TRUNCATED = 0x0200;
  private static final int RECURSION_WANTED = 0x0100;
  private static final int RECURSION = 0x0080;
  private static final int CHECKING_DISABLED = 0x0010;
  private static final int OPCODE = 0x7800;
  private static final int IN = 1;
  private static final int POINTER = 0xc000;
  private static final int FARTHEST = 0x4000;
  private static final int EDNS_BYTES = 11;
  private static final int EDNS_SIZE = 1232;

  // SOA: how often others would ask for changes, were there any.
  private static final int REFRESH = 7200;
  private static final int RETRY = 1800;
  private static final int EXPIRE = 86_400;

  private final Query query;
  private final int limit;
  private final int seconds;
  private final Map<List<String>, Integer> places = new HashMap<>();
  private final int[] counts = new int[3];
  private boolean full;
  private boolean truncated;
  private byte[] bytes;
  private int size;

  private MessageWriter(Query query, int limit, int seconds) {
    this.query = query;
    this.limit = limit - (query.edns().isPresent() ? EDNS_BYTES : 0);
    this.seconds = seconds;
    bytes = Arrays.copyOf(query.message(), Math.max(2 * query.end(), 256));
    size = Query.HEADER;
    // It stands there already: this only notes where.
    name(query.name().labels(), true);
    System.arraycopy(query.message(), 0, bytes, 0, query.end());
    size = query.end();
  }

  /// What is to be said.
  ///
  /// @param code as [Codes] has them
  /// @param authority a SOA where there is nothing, or none
  /// @param own whether it is the zone's own, not what others have said
  record Contents(
      int code,
      boolean own,
      List<DnsRecord> answers,
      List<DnsRecord> authority,
      List<DnsRecord> additional) {
    static Contents of(int code) {
      return new Contents(code, false, List.of(), List.of(), List.of());
    }
  }

  /// The answer to a question.
  ///
  /// @param limit how many bytes it may have; what does not fit is left out, and so it says
  /// @param seconds for how long it is good
  static byte[] write(Query query, Contents contents, int limit, int seconds) {
    MessageWriter writer = new MessageWriter(query, limit, seconds);
    writer.section(0, contents.answers(), true);
    writer.section(1, contents.authority(), false);
    writer.section(2, contents.additional(), false);
    return writer.finish(contents);
  }

  /// The answer to what is no question: nothing but how it turned out.
  static byte[] headerOnly(byte[] message, int code) {
    byte[] header = new byte[Query.HEADER];
    header[0] = message[0];
    header[1] = message[1];
    int kept = Query.flags(message) & (OPCODE | RECURSION_WANTED);
    put(header, 2, RESPONSE | RECURSION | kept | code);
    return header;
  }

  /// The same answer without anything that it says, for those who must ask again by TCP.
  static byte[] cut(Query query, byte[] reply) {
    byte[] cut = Arrays.copyOf(query.message(), query.end());
    put(cut, 2, Query.flags(reply) | TRUNCATED);
    put(cut, 4, 1);
    Arrays.fill(cut, 6, Query.HEADER, (byte) 0);
    return cut;
  }

  private void section(int number, List<DnsRecord> records, boolean needed) {
    for (DnsRecord record : full ? List.<DnsRecord>of() : records) {
      int before = size;
      write(record);
      if (size > limit) {
        // Names in it may be noted: nothing more can be written.
        full = true;
        size = before;
        truncated = needed;
        return;
      }
      counts[number]++;
    }
  }

  private byte[] finish(Contents contents) {
    if (query.edns().isPresent()) {
      u8(0);
      u16(Types.OPT);
      u16(EDNS_SIZE);
      u8(contents.code() >> 4);
      u8(0);
      u16(0);
      u16(0);
      counts[2]++;
    }
    byte[] message = Arrays.copyOf(bytes, size);
    int flags = Query.flags(query.message()) & (OPCODE | RECURSION_WANTED | CHECKING_DISABLED);
    flags |= RESPONSE | RECURSION | contents.code() & 0xf;
    flags |= contents.own() ? AUTHORITATIVE : 0;
    flags |= truncated ? TRUNCATED : 0;
    put(message, 2, flags);
    put(message, 4, 1);
    for (int i = 0; i < counts.length; i++) {
      put(message, 6 + 2 * i, counts[i]);
    }
    return message;
  }

  private void write(DnsRecord record) {
    name(record.owner().labels(), true);
    u16(record.type());
    u16(IN);
    u32(seconds);
    int length = size;
    u16(0);
    switch (record) {
      case DnsRecord.Address address -> all(address.address().getAddress());
      case DnsRecord.Alias alias -> name(alias.target().labels(), true);
      case DnsRecord.Pointer pointer -> name(pointer.target().labels(), true);
      case DnsRecord.Server server -> {
        u16(server.priority());
        u16(server.weight());
        u16(server.port());
        // RFC 2782: nothing is pointed to from here.
        name(server.target().labels(), false);
      }
      case DnsRecord.Text text -> {
        byte[] string = text.text().getBytes(StandardCharsets.UTF_8);
        u8(string.length);
        all(string);
      }
      case DnsRecord.Authority zone -> {
        name(zone.owner().below("ns", "dns").labels(), true);
        name(zone.owner().below("hostmaster").labels(), true);
        // Nobody copies the zone, so nobody asks whether it has changed.
        u32(1);
        u32(REFRESH);
        u32(RETRY);
        u32(EXPIRE);
        u32(zone.seconds());
      }
    }
    put(bytes, length, size - length - 2);
  }

  private void name(List<String> labels, boolean pointing) {
    for (int i = 0; i < labels.size(); i++) {
      List<String> rest = labels.subList(i, labels.size());
      Integer place = places.get(rest);
      if (pointing && place != null) {
        u16(POINTER | place);
        return;
      }
      if (place == null && size < FARTHEST) {
        places.put(List.copyOf(rest), size);
      }
      u8(labels.get(i).length());
      all(labels.get(i).getBytes(StandardCharsets.ISO_8859_1));
    }
    u8(0);
  }

  private void all(byte[] more) {
    if (bytes.length - size < more.length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length + more.length);
    }
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
  }

  private void u8(int value) {
    all(new byte[] {(byte) value});
  }

  private void u16(int value) {
    all(new byte[] {(byte) (value >> 8), (byte) value});
  }

  private void u32(int value) {
    u16(value >>> 16);
    u16(value & 0xffff);
  }

  private static void put(byte[] message, int at, int value) {
    message[at] = (byte) (value >> 8);
    message[at + 1] = (byte) value;
  }
}
