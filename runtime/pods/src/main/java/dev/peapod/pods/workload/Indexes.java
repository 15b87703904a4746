package dev.peapod.pods.workload;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Sets of a job's indexes as text: `0-2,5`.
final class Indexes {
  private Indexes() {}

  static BitSet parse(@Nullable String text) {
    BitSet set = new BitSet();
    if (text == null || text.isEmpty()) {
      return set;
    }
    for (String part : text.split(",")) {
      String[] ends = part.split("-");
      set.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
    }
    return set;
  }

  static String text(BitSet set) {
    List<String> parts = new ArrayList<>();
    for (int from = set.nextSetBit(0); from >= 0; ) {
      int to = set.nextClearBit(from) - 1;
      parts.add(from == to ? Integer.toString(from) : from + "-" + to);
      from = set.nextSetBit(to + 1);
    }
    return String.join(",", parts);
  }
}
