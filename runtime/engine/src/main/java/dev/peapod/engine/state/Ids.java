package dev.peapod.engine.state;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelRandom;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Ids of sandboxes and containers: 64 hexadecimal digits, which callers may shorten.
public final class Ids {
  private Ids() {}

  /// A new one.
  public static String random() {
    return HexFormat.of().formatHex(KernelRandom.bytes(32));
  }

  /// What has this id, or is the only one whose id begins so, among those that are visible.
  ///
  /// @throws PeapodException INVALID if several begin so
  public static <T> Optional<T> find(Map<String, T> all, String idOrPrefix, Predicate<T> visible) {
    T exact = all.get(idOrPrefix);
    if (exact != null) {
      return Optional.of(exact).filter(visible);
    }
    if (idOrPrefix.isEmpty()) {
      return Optional.empty();
    }
    Collection<Map.Entry<String, T>> entries = all.entrySet();
    List<T> matching =
        entries.stream()
            .filter(e -> e.getKey().startsWith(idOrPrefix))
            .map(Map.Entry::getValue)
            .filter(visible)
            .limit(2)
            .toList();
    if (matching.size() > 1) {
      throw PeapodException.invalid("several ids begin with \"" + idOrPrefix + "\"");
    }
    return matching.stream().findFirst();
  }
}
