package dev.peapod.image.store;

import dev.peapod.error.PeapodException;
import dev.peapod.image.Lease;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Who holds which images. In memory alone: holders are containers, which are written down with their images where
/// they belong. Thread-safe.
final class Leases {
  private static final Pattern HOLDER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private final Map<String, Set<Lease>> byHolder = new ConcurrentHashMap<>();

  void add(Lease lease) {
    if (!HOLDER.matcher(lease.holder()).matches()) {
      throw PeapodException.invalid(
          "\"" + lease.holder() + "\" can not hold an image: not a simple name");
    }
    byHolder
        .computeIfAbsent(lease.holder(), holder -> ConcurrentHashMap.newKeySet())
        .add(lease);
  }

  void release(String holder) {
    byHolder.remove(holder);
  }

  Set<String> images() {
    return byHolder.values().stream()
        .flatMap(Collection::stream)
        .map(Lease::imageId)
        .collect(Collectors.toSet());
  }
}
