package dev.peapod.pods.manifest;

import java.util.Comparator;

/// A place in a text; both numbers begin at 1.
public record Position(int line, int column) implements Comparable<Position> {
  static final Position START = new Position(1, 1);

  private static final Comparator<Position> ORDER =
      Comparator.comparingInt(Position::line).thenComparingInt(Position::column);

  @Override
  public int compareTo(Position other) {
    return ORDER.compare(this, other);
  }
}
