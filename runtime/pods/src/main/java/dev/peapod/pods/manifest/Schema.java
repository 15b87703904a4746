package dev.peapod.pods.manifest;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.pods.manifest.Node.Scalar.Kind;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Quantity;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// Holds a parsed document against the Kubernetes model's classes: unknown and unsupported fields,
/// wrong types. It makes the JSON to bind and remembers where every field stands. For one document.
final class Schema {
  private static final Map<Class<?>, Map<String, Type>> FIELDS = new ConcurrentHashMap<>();
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final String source;
  private final Problems problems;
  private final Map<String, Position> positions = new HashMap<>();

  Schema(String source, Problems problems) {
    this.source = source;
    this.problems = problems;
  }

  /// The document as JSON for binding to `type`; parts that are wrong are reported and left out.
  ObjectNode check(Node.Mapping document, Class<?> type) {
    return object(document, type, "");
  }

  /// Where a field stands, or else the nearest thing around it.
  Position position(String path) {
    String at = path;
    while (!at.isEmpty()) {
      Position position = positions.get(at);
      if (position != null) {
        return position;
      }
      int cut = Math.max(at.lastIndexOf('.'), at.lastIndexOf('['));
      at = cut < 0 ? "" : at.substring(0, cut);
    }
    return positions.getOrDefault("", Position.START);
  }

  private ObjectNode object(Node.Mapping mapping, Class<?> type, String path) {
    positions.put(path, positions.getOrDefault(path, mapping.position()));
    Map<String, Type> fields = fields(type);
    ObjectNode result = JSON.objectNode();
    mapping
        .entries()
        .forEach(
            (name, entry) -> {
              String at = path.isEmpty() ? name : path + "." + name;
              positions.put(at, entry.keyPosition());
              Type fieldType = fields.get(name);
              if (fieldType == null) {
                error(entry.keyPosition(), at, unknown(name, fields));
                return;
              }
              if (entry.value().isNull() || Support.dropped(type, name)) {
                return;
              }
              Optional<String> refusal = Support.refusal(type, name);
              if (refusal.isPresent()) {
                error(entry.keyPosition(), at, refusal.get());
                return;
              }
              value(entry.value(), fieldType, at).ifPresent(json -> result.set(name, json));
            });
    return result;
  }

  private Optional<JsonNode> value(Node node, Type type, String path) {
    if (type instanceof ParameterizedType generic) {
      return generic.getRawType() == List.class
          ? list(node, generic.getActualTypeArguments()[0], path)
          : map(node, generic.getActualTypeArguments()[1], path);
    }
    if (type == String.class) {
      return scalar(node, path, "string", Kind.STRING).map(s -> JSON.textNode(s.text()));
    }
    if (type == Boolean.class) {
      return scalar(node, path, "boolean", Kind.BOOLEAN)
          .map(s -> JSON.booleanNode(s.text().equals("true")));
    }
    if (type == Integer.class || type == Long.class) {
      return scalar(node, path, "integer", Kind.INTEGER)
          .flatMap(s -> integer(s, path, type == Integer.class ? 31 : 63));
    }
    if (type == Double.class) {
      return scalar(node, path, "number", Kind.FLOAT, Kind.INTEGER)
          .map(s -> JSON.numberNode(new BigDecimal(s.text())));
    }
    if (type == IntOrString.class) {
      return scalar(node, path, "integer or string", Kind.INTEGER, Kind.STRING)
          .flatMap(
              s ->
                  s.kind() == Kind.INTEGER
                      ? integer(s, path, 31)
                      : Optional.of(JSON.textNode(s.text())));
    }
    if (type == Quantity.class) {
      return scalar(node, path, "quantity", Kind.STRING, Kind.INTEGER, Kind.FLOAT)
          .flatMap(s -> quantity(s, path));
    }
    if (node instanceof Node.Mapping mapping && type instanceof Class<?> c) {
      return Optional.of(object(mapping, c, path));
    }
    mismatch(node, path, "object");
    return Optional.empty();
  }

  private Optional<JsonNode> list(Node node, Type itemType, String path) {
    if (!(node instanceof Node.Sequence sequence)) {
      mismatch(node, path, "array");
      return Optional.empty();
    }
    ArrayNode result = JSON.arrayNode();
    int index = 0;
    for (Node item : sequence.items()) {
      String at = path + "[" + index++ + "]";
      positions.put(at, item.position());
      if (item.isNull()) {
        error(item.position(), at, "Invalid value: null: must not be null");
      } else {
        value(item, itemType, at).ifPresent(result::add);
      }
    }
    return Optional.of(result);
  }

  private Optional<JsonNode> map(Node node, Type valueType, String path) {
    if (!(node instanceof Node.Mapping mapping)) {
      mismatch(node, path, "object");
      return Optional.empty();
    }
    ObjectNode result = JSON.objectNode();
    mapping
        .entries()
        .forEach(
            (name, entry) -> {
              String at = path + "." + name;
              positions.put(at, entry.keyPosition());
              if (entry.value().isNull() && valueType == String.class) {
                result.put(name, "");
              } else {
                value(entry.value(), valueType, at).ifPresent(json -> result.set(name, json));
              }
            });
    return Optional.of(result);
  }

  private Optional<Node.Scalar> scalar(Node node, String path, String wanted, Kind... kinds) {
    if (node instanceof Node.Scalar scalar && List.of(kinds).contains(scalar.kind())) {
      return Optional.of(scalar);
    }
    mismatch(node, path, wanted);
    return Optional.empty();
  }

  private Optional<JsonNode> integer(Node.Scalar scalar, String path, int bits) {
    BigInteger value = new BigInteger(scalar.text());
    if (value.bitLength() > bits) {
      error(
          scalar.position(),
          path,
          "Invalid value: " + scalar.text() + ": does not fit int" + (bits + 1));
      return Optional.empty();
    }
    return Optional.of(
        bits == 31
            ? JSON.numberNode(value.intValueExact())
            : JSON.numberNode(value.longValueExact()));
  }

  private Optional<JsonNode> quantity(Node.Scalar scalar, String path) {
    if (Quantities.parse(scalar.text()).isEmpty()) {
      error(
          scalar.position(),
          path,
          "Invalid value: \"" + Words.cut(scalar.text()) + "\": " + Quantities.MALFORMED);
      return Optional.empty();
    }
    return Optional.of(JSON.textNode(scalar.text()));
  }

  private void mismatch(Node node, String path, String wanted) {
    String shown = node instanceof Node.Scalar s ? Words.quote(s) + ": " : "";
    error(
        node.position(),
        path,
        "Invalid value: " + shown + "must be of type " + wanted + ", not " + node.type());
  }

  private void error(Position at, String path, String message) {
    problems.add(new ManifestError(source, at, path, message));
  }

  private static String unknown(String name, Map<String, Type> fields) {
    String message = "unknown field \"" + Words.cut(name) + "\"";
    return Words.nearest(name, fields.keySet())
        .map(near -> message + ", did you mean \"" + near + "\"?")
        .orElse(message);
  }

  /// The fields of a type, by name.
  static Map<String, Type> fields(Class<?> type) {
    return FIELDS.computeIfAbsent(type, Schema::fieldsOf);
  }

  private static Map<String, Type> fieldsOf(Class<?> type) {
    Map<String, Type> fields = new TreeMap<>();
    for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        JsonProperty property = field.getAnnotation(JsonProperty.class);
        if (property != null) {
          fields.put(property.value(), field.getGenericType());
        }
      }
    }
    return fields;
  }
}
