package dev.peapod.linux.systemd;

import java.util.List;

/// A property of a unit.
///
/// @param name as systemd calls it, such as `MemoryMax`
public record Property(String name, Value value) {
  /// What it is.
  public sealed interface Value {}

  /// A string.
  public record Text(String text) implements Value {}

  /// A boolean.
  public record Flag(boolean set) implements Value {}

  /// A number of 64 bits without sign.
  public record Amount(long number) implements Value {}

  /// Bytes, such as a set of processors: one bit for each, the lowest first.
  @SuppressWarnings("ArrayRecordComponent")
  public record Octets(byte[] bytes) implements Value {}

  /// Numbers of 32 bits, such as those of processes.
  public record Numbers(List<Integer> numbers) implements Value {
    public Numbers {
      numbers = List.copyOf(numbers);
    }
  }

  /// No limit, where an amount is one.
  public static final long INFINITY = -1;

  public static Property of(String name, String text) {
    return new Property(name, new Text(text));
  }

  public static Property of(String name, boolean set) {
    return new Property(name, new Flag(set));
  }

  public static Property of(String name, long number) {
    return new Property(name, new Amount(number));
  }

  /// Writes it as the structure `(sv)`.
  void write(Marshalled to) {
    to.align(8).text(name);
    switch (value) {
      case Text(String text) -> to.signature("s").text(text);
      case Flag(boolean set) -> to.signature("b").flag(set);
      case Amount(long number) -> to.signature("t").large(number);
      case Octets(byte[] bytes) -> to.signature("ay").array(1, () -> to.octets(bytes));
      case Numbers(List<Integer> numbers) ->
          to.signature("au").array(4, () -> numbers.forEach(to::number));
    }
  }
}
