package dev.peapod.pods.manifest;

import java.util.LinkedHashMap;
import java.util.List;

/// A parsed document: the JSON data model, and where each part stands in the text.
sealed interface Node {
  Position position();

  /// How Kubernetes calls this type in its messages.
  String type();

  /// @param entries in the text's order
  record Mapping(Position position, LinkedHashMap<String, Entry> entries) implements Node {
    @Override
    public String type() {
      return "object";
    }
  }

  /// A mapping's value and where its key stands.
  record Entry(Position keyPosition, Node value) {}

  record Sequence(Position position, List<Node> items) implements Node {
    @Override
    public String type() {
      return "array";
    }
  }

  record Scalar(Position position, Kind kind, String text) implements Node {
    /// What the text means. INTEGER's text is decimal, BOOLEAN's `true` or `false`.
    enum Kind {
      STRING,
      INTEGER,
      FLOAT,
      BOOLEAN,
      NULL
    }

    @Override
    public String type() {
      return switch (kind) {
        case STRING -> "string";
        case INTEGER -> "integer";
        case FLOAT -> "number";
        case BOOLEAN -> "boolean";
        case NULL -> "null";
      };
    }
  }

  default boolean isNull() {
    return this instanceof Scalar scalar && scalar.kind() == Scalar.Kind.NULL;
  }
}
