package dev.peapod.pods.status;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peapod.error.PeapodException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Templates as `kubectl -o jsonpath=` takes them: text, and between braces paths with fields,
/// `[n]`, `[a:b]`, `[*]`, `..`, `['name']`, filters `[?(@.name=="x")]`, quoted text, and
/// `{range path}...{end}`.
public final class JsonPath {
  private static final ObjectMapper JSON = new ObjectMapper();

  private sealed interface Part permits Text, Path, Range {}

  private record Text(String text) implements Part {}

  private record Path(List<Step> steps) implements Part {}

  private record Range(List<Step> steps, List<Part> body) implements Part {}

  private sealed interface Step permits Field, Deep, All, Slice, Filter {}

  private record Field(String name) implements Step {}

  private record Deep(String name) implements Step {}

  private record All() implements Step {}

  private record Slice(int from, @Nullable Integer to) implements Step {}

  private record Filter(List<Step> steps, String operator, String value) implements Step {}

  private final String template;
  private int at;

  private JsonPath(String template) {
    this.template = template;
  }

  /// The template with what it finds in an object; values of one path are parted by blanks, and a
  /// field that is not there is nothing.
  ///
  /// @throws PeapodException INVALID if the template is none
  public static String evaluate(String template, Object object) {
    JsonPath parser = new JsonPath(template);
    List<Part> parts = parser.parts(false);
    StringBuilder out = new StringBuilder();
    JsonNode root = JSON.valueToTree(object);
    write(parts, root, root, out);
    return out.toString();
  }

  /// The same of a list, as `{.items[*].metadata.name}`.
  public static String evaluateList(String template, List<?> objects) {
    return evaluate(template, Map.of("apiVersion", "v1", "kind", "List", "items", objects));
  }

  private static void write(List<Part> parts, JsonNode root, JsonNode here, StringBuilder out) {
    for (Part part : parts) {
      switch (part) {
        case Text text -> out.append(text.text);
        case Path path ->
            out.append(
                String.join(" ", find(path.steps, here).stream().map(JsonPath::shown).toList()));
        case Range range ->
            find(range.steps, here).forEach(item -> write(range.body, root, item, out));
      }
    }
  }

  private static String shown(JsonNode node) {
    return node.isValueNode() ? node.asText() : node.toString();
  }

  private static List<JsonNode> find(List<Step> steps, JsonNode start) {
    List<JsonNode> found = List.of(start);
    for (Step step : steps) {
      List<JsonNode> next = new ArrayList<>();
      for (JsonNode node : found) {
        switch (step) {
          case Field field -> {
            JsonNode value = node.get(field.name);
            if (value != null && !value.isNull()) {
              next.add(value);
            }
          }
          case Deep deep -> next.addAll(node.findValues(deep.name));
          case All() -> node.forEach(next::add);
          case Slice slice -> slice(slice, node, next);
          case Filter filter ->
              node.forEach(
                  item -> {
                    if (matches(filter, item)) {
                      next.add(item);
                    }
                  });
        }
      }
      found = next;
    }
    return found;
  }

  private static void slice(Slice slice, JsonNode node, List<JsonNode> next) {
    if (!node.isArray()) {
      return;
    }
    int size = node.size();
    int from = slice.from < 0 ? size + slice.from : slice.from;
    int to = slice.to == null ? from + 1 : slice.to < 0 ? size + slice.to : slice.to;
    for (int i = Math.max(0, from); i < Math.min(size, to); i++) {
      next.add(node.get(i));
    }
  }

  private static boolean matches(Filter filter, JsonNode item) {
    List<JsonNode> found = find(filter.steps, item);
    if (filter.operator.isEmpty()) {
      return !found.isEmpty();
    }
    return found.stream()
        .anyMatch(
            node -> {
              int order = compare(node, filter.value);
              return switch (filter.operator) {
                case "==" -> order == 0;
                case "!=" -> order != 0;
                case "<" -> order < 0;
                case "<=" -> order <= 0;
                case ">" -> order > 0;
                default -> order >= 0;
              };
            });
  }

  private static int compare(JsonNode node, String value) {
    if (node.isNumber()) {
      try {
        return Double.compare(node.asDouble(), Double.parseDouble(value));
      } catch (NumberFormatException e) {
        return 1;
      }
    }
    return node.asText().compareTo(value);
  }

  // --- reading the template

  private List<Part> parts(boolean inRange) {
    List<Part> parts = new ArrayList<>();
    while (at < template.length()) {
      int brace = template.indexOf('{', at);
      if (brace < 0) {
        parts.add(new Text(template.substring(at)));
        at = template.length();
      } else {
        if (brace > at) {
          parts.add(new Text(template.substring(at, brace)));
        }
        at = brace + 1;
        blanks();
        if (word("end")) {
          expect('}');
          if (!inRange) {
            throw wrong("end without range");
          }
          return parts;
        }
        if (word("range")) {
          blanks();
          List<Step> steps = steps();
          expect('}');
          parts.add(new Range(steps, parts(true)));
        } else if (peek() == '"' || peek() == '\'') {
          parts.add(new Text(quoted()));
          expect('}');
        } else {
          parts.add(new Path(steps()));
          expect('}');
        }
      }
    }
    if (inRange) {
      throw wrong("range without end");
    }
    return parts;
  }

  private List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    if (peek() == '$' || peek() == '@') {
      at++;
    }
    while (peek() == '.' || peek() == '[') {
      if (peek() == '[') {
        steps.add(bracket());
        continue;
      }
      at++;
      if (peek() == '.') {
        at++;
        steps.add(new Deep(name()));
      } else if (peek() == '*') {
        at++;
        steps.add(new All());
      } else if (peek() != '}' && peek() != '[' && peek() != ')') {
        steps.add(new Field(name()));
      }
    }
    return steps;
  }

  private String name() {
    StringBuilder name = new StringBuilder();
    while (at < template.length() && ".[]{}()=!<> ".indexOf(peek()) < 0) {
      if (peek() == '\\' && at + 1 < template.length()) {
        at++;
      }
      name.append(template.charAt(at++));
    }
    if (name.isEmpty()) {
      throw wrong("a name is missing");
    }
    return name.toString();
  }

  private Step bracket() {
    at++;
    Step step;
    if (peek() == '*') {
      at++;
      step = new All();
    } else if (peek() == '\'' || peek() == '"') {
      step = new Field(quoted());
    } else if (peek() == '?') {
      at++;
      expect('(');
      step = filter();
      expect(')');
    } else {
      step = slice();
    }
    expect(']');
    return step;
  }

  private Step slice() {
    Integer from = number();
    if (peek() != ':') {
      if (from == null) {
        throw wrong("a number is missing");
      }
      return new Slice(from, from == -1 ? Integer.valueOf(Integer.MAX_VALUE) : null);
    }
    at++;
    Integer to = number();
    return new Slice(from == null ? 0 : from, to == null ? Integer.valueOf(Integer.MAX_VALUE) : to);
  }

  private @Nullable Integer number() {
    int begin = at;
    while (peek() == '-' || Character.isDigit(peek())) {
      at++;
    }
    try {
      return at == begin ? null : Integer.valueOf(template.substring(begin, at));
    } catch (NumberFormatException e) {
      throw wrong("a number is missing");
    }
  }

  private Filter filter() {
    List<Step> steps = steps();
    blanks();
    String operator = "";
    for (String candidate : List.of("==", "!=", "<=", ">=", "<", ">")) {
      if (template.startsWith(candidate, at)) {
        operator = candidate;
        break;
      }
    }
    if (operator.isEmpty()) {
      return new Filter(steps, "", "");
    }
    at += operator.length();
    blanks();
    String value;
    if (peek() == '"' || peek() == '\'') {
      value = quoted();
    } else {
      int begin = at;
      while (at < template.length() && peek() != ')') {
        at++;
      }
      value = template.substring(begin, at).strip();
    }
    blanks();
    return new Filter(steps, operator, value);
  }

  private String quoted() {
    char quote = template.charAt(at++);
    StringBuilder text = new StringBuilder();
    while (at < template.length() && peek() != quote) {
      char c = template.charAt(at++);
      if (c == '\\' && at < template.length()) {
        char next = template.charAt(at++);
        text.append(next == 'n' ? '\n' : next == 't' ? '\t' : next);
      } else {
        text.append(c);
      }
    }
    expect(quote);
    return text.toString();
  }

  private boolean word(String word) {
    int end = at + word.length();
    if (template.startsWith(word, at)
        && (end == template.length() || !Character.isLetterOrDigit(template.charAt(end)))) {
      at = end;
      return true;
    }
    return false;
  }

  private void blanks() {
    while (peek() == ' ') {
      at++;
    }
  }

  private char peek() {
    return at < template.length() ? template.charAt(at) : '\0';
  }

  private void expect(char c) {
    blanks();
    if (peek() != c) {
      throw wrong("expected " + c);
    }
    at++;
  }

  private PeapodException wrong(String what) {
    return PeapodException.invalid(
        "the jsonpath template is wrong at character " + (at + 1) + ": " + what);
  }
}
