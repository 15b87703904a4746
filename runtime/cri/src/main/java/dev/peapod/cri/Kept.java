package dev.peapod.cri;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What is made of statuses, kept for as long as the status is the same object: lists of a thousand are asked for every
/// second, and next to nothing has changed since. Thread-safe.
///
/// @param <S> a status, the same object until something has changed
/// @param <M> what is made of it
final class Kept<S, M> {
  private record Entry<S, M>(S status, M made) {}

  /// How many may be kept that are gone, before they are looked for.
  private static final int SLACK = 64;

  private final Map<String, Entry<S, M>> entries = new ConcurrentHashMap<>();
  private final Function<S, String> id;
  private final Function<S, M> make;

  Kept(Function<S, String> id, Function<S, M> make) {
    this.id = id;
    this.make = make;
  }

  M of(S status) {
    Entry<S, M> entry = entries.get(id.apply(status));
    if (entry == null || entry.status != status) {
      entry = new Entry<>(status, make.apply(status));
      entries.put(id.apply(status), entry);
    }
    return entry.made;
  }

  /// Forgets what is not there any more.
  ///
  /// @param all that are there
  void forgetOthers(List<S> all) {
    if (entries.size() > all.size() + SLACK) {
      Set<String> present = all.stream().map(id).collect(Collectors.toSet());
      entries.keySet().retainAll(present);
    }
  }
}
