package dev.peapod.dns;

import java.util.ArrayList;
import java.util.List;

/// A domain name: its labels from the left, in lower case. A character is a byte of the name, so a label may have any,
/// a dot too.
///
/// @param labels none: the root
public record Name(List<String> labels) {
  private static final int LONGEST_LABEL = 63;
  private static final int LONGEST = 255;

  /// @throws IllegalArgumentException if it is longer than a name may be, or a label is empty
  public Name {
    labels = labels.stream().map(Name::lowerCase).toList();
    int length = 1;
    for (String label : labels) {
      length += 1 + label.length();
      if (label.isEmpty()
          || label.length() > LONGEST_LABEL
          || label.chars().anyMatch(c -> c > 0xff)) {
        throw new IllegalArgumentException("\"" + label + "\" is not a label of a domain name");
      }
    }
    if (length > LONGEST) {
      throw new IllegalArgumentException("a domain name has at most " + LONGEST + " bytes");
    }
  }

  /// Of ASCII's letters alone, as RFC 4343 has it.
  private static String lowerCase(String label) {
    char[] bytes = label.toCharArray();
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] >= 'A' && bytes[i] <= 'Z') {
        bytes[i] += 'a' - 'A';
      }
    }
    return new String(bytes);
  }

  /// Reads `web.default.svc`, with a dot at the end or without.
  ///
  /// @throws IllegalArgumentException if that is no name
  public static Name of(String text) {
    String bare = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    return new Name(bare.isEmpty() ? List.of() : List.of(bare.split("\\.", -1)));
  }

  /// Whether it is the other name, or one below it.
  public boolean isWithin(Name above) {
    int more = labels.size() - above.labels.size();
    return more >= 0 && labels.subList(more, labels.size()).equals(above.labels);
  }

  /// The labels that it has before those of a name that it is within.
  public List<String> before(Name above) {
    return labels.subList(0, labels.size() - above.labels.size());
  }

  /// The name below this one that begins with these labels.
  public Name below(String... first) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(labels);
    return new Name(all);
  }

  /// With a dot at the end.
  @Override
  public String toString() {
    return String.join(".", labels) + ".";
  }
}
