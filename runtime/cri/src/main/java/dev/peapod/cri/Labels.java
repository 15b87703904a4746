package dev.peapod.cri;

import java.util.Map;

/// Selecting by labels.
final class Labels {
  private Labels() {}

  /// Whether all that the selector names is there with those values.
  static boolean match(Map<String, String> labels, Map<String, String> selector) {
    return labels.entrySet().containsAll(selector.entrySet());
  }
}
