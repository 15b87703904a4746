package dev.peapod.pods.status;

import dev.peapod.error.PeapodException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Kubernetes' label selectors: `app=web,tier!=cache,env in (a, b),!legacy`.
public final class LabelSelector {
  private static final Pattern SET =
      Pattern.compile("([^\\s=!,()]+)\\s+(in|notin)\\s*\\(([^()]*)\\)");
  private static final Pattern EQUALITY =
      Pattern.compile("([^\\s=!,()]+)\\s*(==|=|!=)\\s*([^\\s=!,()]*)");
  private static final Pattern PRESENCE = Pattern.compile("(!?)\\s*([^\\s=!,()]+)");

  private interface Requirement {
    boolean matches(Map<String, String> labels);
  }

  private final List<Requirement> requirements = new ArrayList<>();

  private LabelSelector() {}

  /// Reads a selector; an empty one matches everything.
  ///
  /// @throws PeapodException INVALID if it is malformed
  public static LabelSelector parse(String text) {
    LabelSelector selector = new LabelSelector();
    for (String part : parts(text)) {
      selector.requirements.add(requirement(part.strip(), text));
    }
    return selector;
  }

  public boolean matches(@Nullable Map<String, String> labels) {
    Map<String, String> actual = labels == null ? Map.of() : labels;
    return requirements.stream().allMatch(requirement -> requirement.matches(actual));
  }

  private static List<String> parts(String text) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (c == ',' && depth == 0) {
        parts.add(text.substring(start, i));
        start = i + 1;
      }
    }
    if (!text.isBlank()) {
      parts.add(text.substring(start));
    }
    return parts;
  }

  private static Requirement requirement(String part, String whole) {
    Matcher set = SET.matcher(part);
    if (set.matches()) {
      String key = set.group(1);
      Set<String> values =
          Stream.of(set.group(3).split(",")).map(String::strip).collect(Collectors.toSet());
      boolean in = set.group(2).equals("in");
      return labels -> {
        String value = labels.get(key);
        return in
            ? value != null && values.contains(value)
            : value == null || !values.contains(value);
      };
    }
    Matcher equality = EQUALITY.matcher(part);
    if (equality.matches()) {
      String key = equality.group(1);
      String wanted = equality.group(3);
      boolean equal = !equality.group(2).equals("!=");
      return labels -> wanted.equals(labels.get(key)) == equal;
    }
    Matcher presence = PRESENCE.matcher(part);
    if (presence.matches()) {
      String key = presence.group(2);
      boolean wanted = presence.group(1).isEmpty();
      return labels -> labels.containsKey(key) == wanted;
    }
    throw PeapodException.invalid("\"" + whole + "\" is not a valid label selector");
  }
}
