package dev.peapod.pods.environment;

import java.util.Map;

/// Kubernetes' `$(VAR)` expansion: `$$` is a dollar sign, a reference to an unknown variable stays
/// as it is.
public final class Expansion {
  private Expansion() {}

  public static String expand(String text, Map<String, String> variables) {
    StringBuilder result = new StringBuilder(text.length());
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c != '$' || i + 1 == text.length()) {
        result.append(c);
        i++;
        continue;
      }
      char next = text.charAt(i + 1);
      if (next == '$') {
        result.append('$');
        i += 2;
      } else if (next == '(') {
        int end = text.indexOf(')', i + 2);
        if (end < 0) {
          result.append("$(");
          i += 2;
        } else {
          String name = text.substring(i + 2, end);
          String value = variables.get(name);
          result.append(value != null ? value : "$(" + name + ")");
          i = end + 1;
        }
      } else {
        result.append(c).append(next);
        i += 2;
      }
    }
    return result.toString();
  }
}
