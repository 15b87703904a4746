package dev.peapod.pods.manifest;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// Small help for messages.
final class Words {
  private static final int LONGEST = 80;

  private Words() {}

  /// At most 80 characters of a value from a manifest, on one line and printable.
  static String cut(String text) {
    StringBuilder result = new StringBuilder();
    int end = Math.min(text.length(), LONGEST);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        result.append("\\n");
      } else if (Character.isISOControl(c)) {
        result.append(String.format(Locale.ROOT, "\\x%02x", (int) c));
      } else {
        result.append(c);
      }
    }
    return text.length() > LONGEST ? result + "..." : result.toString();
  }

  static String quote(String text) {
    return "\"" + cut(text) + "\"";
  }

  static String quote(Node.Scalar scalar) {
    return scalar.kind() == Node.Scalar.Kind.STRING ? quote(scalar.text()) : cut(scalar.text());
  }

  /// The candidate that is most likely meant, if one is close.
  static Optional<String> nearest(String word, Collection<String> candidates) {
    if (word.length() > 64) {
      return Optional.empty();
    }
    String best = null;
    int bestDistance = word.length() < 4 ? 2 : 3;
    for (String candidate : candidates) {
      int distance = distance(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
