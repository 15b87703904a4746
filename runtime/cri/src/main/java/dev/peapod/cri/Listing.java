package dev.peapod.cri;

import com.google.protobuf.MessageLite;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The bytes of lists of statuses: an element is made anew when its status has changed, and a list of all when any has.
/// Thread-safe.
///
/// @param <S> a status, the same object until something has changed
final class Listing<S> {
  private record Whole<S>(List<S> all, byte[] bytes) {}

  private final Kept<S, byte[]> elements;
  private volatile Whole<S> last = new Whole<>(List.of(), new byte[0]);

  /// @param element an element of the list
  Listing(Function<S, String> id, Function<S, MessageLite> element) {
    this.elements = new Kept<>(id, status -> Lists.element(element.apply(status)));
  }

  /// The list of some.
  ///
  /// @param all that are there
  /// @param filter an empty message if all are asked for
  /// @param chosen those that the filter lets pass, in their order
  byte[] of(List<S> all, MessageLite filter, Supplier<Stream<S>> chosen) {
    elements.forgetOthers(all);
    if (filter.getSerializedSize() > 0) {
      return bytes(chosen);
    }
    Whole<S> whole = last;
    if (!same(whole.all, all)) {
      whole = new Whole<>(all, bytes(chosen));
      last = whole;
    }
    return whole.bytes;
  }

  private byte[] bytes(Supplier<Stream<S>> chosen) {
    return Lists.of(chosen.get().map(elements::of).toList());
  }

  @SuppressWarnings("ReferenceEquality")
  private static <S> boolean same(List<S> one, List<S> other) {
    boolean same = one.size() == other.size();
    for (int i = 0; same && i < one.size(); i++) {
      same = one.get(i) == other.get(i);
    }
    return same;
  }
}
