package dev.peapod.dns;

import java.util.List;

/// What a zone has of a name.
///
/// @param exists whether there is such a name, or one below it
/// @param records of the type that was asked for; a CNAME alone where the name is another one's
/// @param additional what who asked will want next
public record Answer(boolean exists, List<DnsRecord> records, List<DnsRecord> additional) {
  /// There is no such name.
  public static final Answer NO_NAME = new Answer(false, List.of(), List.of());

  /// There is the name, and nothing of the type that was asked for.
  public static final Answer NO_DATA = new Answer(true, List.of(), List.of());

  public Answer {
    records = List.copyOf(records);
    additional = List.copyOf(additional);
  }

  /// Records of a name that exists.
  public static Answer of(List<? extends DnsRecord> records) {
    return new Answer(true, List.copyOf(records), List.of());
  }
}
