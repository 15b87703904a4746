package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodCondition;
import dev.peapod.proto.peapod.v1.PodView;
import java.util.List;
import java.util.Locale;

/// What `wait --for` says is to become of something.
sealed interface Goal {
  /// It is there.
  record Create() implements Goal {}

  /// It is gone.
  record Delete() implements Goal {}

  /// A condition has a status.
  record Condition(String name, String status) implements Goal {}

  /// A pod has a phase.
  record Phase(String name) implements Goal {}

  /// What a template finds is this value; empty: is there.
  record Value(String template, String value) implements Goal {}

  /// @throws Failure if it says none of them
  static Goal of(String text) {
    if (text.equals("create")) {
      return new Create();
    }
    if (text.equals("delete")) {
      return new Delete();
    }
    if (text.startsWith("jsonpath=")) {
      return value(text.substring("jsonpath=".length()));
    }
    String[] parts = text.split("=", -1);
    if (parts[0].equals("condition") && (parts.length == 2 || parts.length == 3)) {
      return new Condition(parts[1], parts.length == 3 ? parts[2] : "True");
    }
    if (parts[0].equals("phase") && parts.length == 2) {
      return new Phase(parts[1]);
    }
    throw new Failure(
        "--for must be condition=NAME[=STATUS], jsonpath='{PATH}'[=VALUE], phase=NAME, create or"
            + " delete, not \""
            + text
            + "\"",
        Main.USAGE);
  }

  /// `{.a.b}=value`; the braces may be left out, as kubectl has it.
  private static Value value(String text) {
    int end = text.startsWith("{") ? text.lastIndexOf('}') + 1 : text.indexOf('=');
    String path = end <= 0 ? text : text.substring(0, end);
    String rest = text.substring(path.length());
    if (path.isEmpty() || rest.equals("=") || !(rest.isEmpty() || rest.startsWith("="))) {
      throw new Failure(
          "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or"
              + " --for=jsonpath='{.status.readyReplicas}'",
          Main.USAGE);
    }
    String dotted = path.startsWith(".") ? path : "." + path;
    return new Value(
        path.startsWith("{") ? path : "{" + dotted + "}", rest.isEmpty() ? "" : rest.substring(1));
  }

  /// How the daemon is to show what is waited for.
  default PodView view() {
    return this instanceof Value ? PodView.POD_VIEW_JSONPATH : PodView.POD_VIEW_SUMMARY;
  }

  /// The template of that view, if it has one.
  default String template() {
    return this instanceof Value value ? value.template() : "";
  }

  /// Whether something is as it is to be.
  ///
  /// @param gone it comes as it was last
  /// @param text of the view
  default boolean isMet(boolean gone, String phase, List<PodCondition> conditions, String text) {
    return switch (this) {
      case Create() -> !gone;
      case Delete() -> gone;
      case Phase(String name) -> !gone && phase.equalsIgnoreCase(name);
      case Condition(String name, String status) ->
          !gone
              && conditions.stream()
                  .anyMatch(
                      c ->
                          c.getType().equalsIgnoreCase(name)
                              && c.getStatus()
                                  .toLowerCase(Locale.ROOT)
                                  .equals(status.toLowerCase(Locale.ROOT)));
      case Value(String template, String value) ->
          !gone && (value.isEmpty() ? !text.isEmpty() : text.equals(value));
    };
  }
}
