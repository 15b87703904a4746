package dev.peapod.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads `pods`, `pod NAME...` and `pod/NAME...`.
final class Names {
  private static final Set<String> PODS = Set.of("pod", "pods", "po");

  private Names() {}

  /// The pods' names; none means all of them.
  static List<String> of(List<String> words) {
    List<String> names = new ArrayList<>();
    boolean typed = false;
    for (String word : words) {
      int slash = word.indexOf('/');
      if (slash >= 0) {
        requirePods(word.substring(0, slash));
        names.add(word.substring(slash + 1));
        typed = true;
      } else if (!typed) {
        requirePods(word);
        typed = true;
      } else {
        names.add(word);
      }
    }
    return names;
  }

  /// A pod's name, with or without `pod/`.
  static String one(String word) {
    int slash = word.indexOf('/');
    if (slash < 0) {
      return word;
    }
    requirePods(word.substring(0, slash));
    return word.substring(slash + 1);
  }

  private static void requirePods(String type) {
    if (!PODS.contains(type)) {
      throw new Failure("peapod has no \"" + type + "\"; what it has are pods", Main.USAGE);
    }
  }
}
