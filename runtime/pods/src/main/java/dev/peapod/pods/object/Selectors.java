package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Label selectors as documents have them.
public final class Selectors {
  private Selectors() {}

  /// The labels that are asked for with their values.
  public static Map<String, String> exact(LabelSelector selector) {
    Map<String, String> labels = selector.getMatchLabels();
    return labels == null ? Map.of() : labels;
  }

  /// Whether labels are those that the selector asks for.
  public static boolean matches(LabelSelector selector, @Nullable Map<String, String> labels) {
    Map<String, String> actual = labels == null ? Map.of() : labels;
    return actual.entrySet().containsAll(exact(selector).entrySet())
        && selector.getMatchExpressions().stream().allMatch(r -> matches(r, actual));
  }

  private static boolean matches(LabelSelectorRequirement requirement, Map<String, String> labels) {
    String value = labels.get(requirement.getKey());
    return switch (requirement.getOperator()) {
      case "In" -> value != null && requirement.getValues().contains(value);
      case "NotIn" -> value == null || !requirement.getValues().contains(value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      default -> false;
    };
  }

  /// A selector on one line, as `kubectl get` shows it.
  public static String text(@Nullable LabelSelector selector) {
    if (selector == null) {
      return "<none>";
    }
    List<String> parts = new ArrayList<>();
    new TreeMap<>(exact(selector)).forEach((key, value) -> parts.add(key + "=" + value));
    for (LabelSelectorRequirement requirement : selector.getMatchExpressions()) {
      String values = "(" + String.join(",", requirement.getValues()) + ")";
      parts.add(
          switch (requirement.getOperator()) {
            case "In" -> requirement.getKey() + " in " + values;
            case "NotIn" -> requirement.getKey() + " notin " + values;
            case "DoesNotExist" -> "!" + requirement.getKey();
            default -> requirement.getKey();
          });
    }
    return String.join(",", parts);
  }
}
