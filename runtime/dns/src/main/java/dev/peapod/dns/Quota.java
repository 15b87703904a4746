package dev.peapod.dns;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/// So many places for all who ask and so many for each, so that nobody can have the others wait. Thread-safe.
final class Quota {
  private final int most;
  private final int mostOfOne;
  private final Map<InetAddress, Integer> counts = new HashMap<>();
  private int all;

  Quota(int most, int mostOfOne) {
    this.most = most;
    this.mostOfOne = mostOfOne;
  }

  /// Takes a place; [#end] is to follow then. False if there is none.
  synchronized boolean begin(InetAddress asker) {
    if (all >= most || counts.getOrDefault(asker, 0) >= mostOfOne) {
      return false;
    }
    all++;
    counts.merge(asker, 1, Integer::sum);
    return true;
  }

  synchronized void end(InetAddress asker) {
    all--;
    counts.computeIfPresent(asker, (who, count) -> count == 1 ? null : count - 1);
  }
}
