package dev.peapod.dns;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A zone `x.` that has what it was given.
final class TestZone implements Zone {
  final List<DnsRecord> records = new ArrayList<>();

  @Override
  public Name apex() {
    return Name.of("x");
  }

  @Override
  public int seconds() {
    return 5;
  }

  @Override
  public Optional<Answer> find(Name name, int type) {
    if (name.labels().getFirst().equals("defect")) {
      throw new IllegalStateException("a defect");
    }
    List<DnsRecord> of = records.stream().filter(r -> r.owner().equals(name)).toList();
    if (of.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        Answer.of(
            of.stream()
                .filter(r -> r.type() == type || r.type() == Types.CNAME)
                .toList()));
  }
}
