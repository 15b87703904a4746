package dev.peapod.pods.manifest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.peapod.pods.manifest.Node.Scalar.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.NodeId;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/// Reads YAML or JSON text of several documents into [Node]s. Every bound here is against hostile
/// text: size, depth, and nodes after anchors are expanded.
final class Documents {
  static final int MAX_BYTES = 3 << 20;
  static final int MAX_DEPTH = 60;
  static final int MAX_NODES = 200_000;

  private final String source;
  private final Problems problems;
  private final Resolver resolver = new Resolver();
  private int nodes;

  private Documents(String source, Problems problems) {
    this.source = source;
    this.problems = problems;
  }

  /// The documents of a text; empty ones are left out. What is wrong goes to `problems`.
  static List<Node> read(String source, byte[] content, Problems problems) {
    return new Documents(source, problems).read(content);
  }

  private List<Node> read(byte[] content) {
    if (content.length > MAX_BYTES) {
      error(Position.START, "is larger than " + (MAX_BYTES >> 20) + " MiB");
      return List.of();
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      error(Position.START, "is not UTF-8 text");
      return List.of();
    }
    if (text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    try {
      return text.stripLeading().startsWith("{") ? jsonOrYaml(text) : yaml(text);
    } catch (Refused e) {
      problems.add(e.error);
    } catch (MarkedYAMLException e) {
      error(position(e.getProblemMark()), "is not valid YAML: " + problem(e));
    } catch (YAMLException e) {
      String message = e.getMessage();
      error(Position.START, "is not valid YAML: " + (message == null ? "" : firstLine(message)));
    } catch (JsonProcessingException e) {
      error(position(e.getLocation()), "is not valid JSON: " + firstLine(e.getOriginalMessage()));
    } catch (IOException e) {
      error(Position.START, "can not be read: " + e.getMessage());
    }
    return List.of();
  }

  private void error(Position at, String message) {
    problems.add(new ManifestError(source, at, "", message));
  }

  /// YAML may begin with a brace too; what is neither is told of as JSON.
  private List<Node> jsonOrYaml(String text) throws IOException {
    try {
      return json(text);
    } catch (JsonProcessingException e) {
      nodes = 0;
      try {
        return yaml(text);
      } catch (YAMLException notYamlEither) {
        throw e;
      }
    }
  }

  // --- YAML

  private List<Node> yaml(String text) {
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(MAX_BYTES);
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(1000);
    options.setAllowRecursiveKeys(false);
    Composer composer =
        new Composer(new ParserImpl(new StreamReader(text), options), resolver, options);
    List<Node> documents = new ArrayList<>();
    while (composer.checkNode()) {
      Node node = fromYaml(composer.getNode(), new ArrayDeque<>());
      if (!node.isNull()) {
        documents.add(node);
      }
    }
    return documents;
  }

  private Node fromYaml(
      org.yaml.snakeyaml.nodes.Node yaml, Deque<org.yaml.snakeyaml.nodes.Node> above) {
    Position at = position(yaml.getStartMark());
    count(at, above.size());
    if (above.contains(yaml)) {
      throw refused(at, "an anchor contains itself");
    }
    return switch (yaml) {
      case ScalarNode scalar -> scalar(at, scalar);
      case SequenceNode sequence -> {
        requireTag(sequence, Tag.SEQ, at);
        above.push(sequence);
        List<Node> items = new ArrayList<>();
        for (org.yaml.snakeyaml.nodes.Node item : sequence.getValue()) {
          items.add(fromYaml(item, above));
        }
        above.pop();
        yield new Node.Sequence(at, items);
      }
      case MappingNode mapping -> {
        requireTag(mapping, Tag.MAP, at);
        above.push(mapping);
        Node result = mapping(at, mapping, above);
        above.pop();
        yield result;
      }
      default -> throw refused(at, "is not valid YAML");
    };
  }

  private Node mapping(
      Position at, MappingNode mapping, Deque<org.yaml.snakeyaml.nodes.Node> above) {
    LinkedHashMap<String, Node.Entry> entries = new LinkedHashMap<>();
    List<Node.Mapping> merged = new ArrayList<>();
    for (NodeTuple tuple : mapping.getValue()) {
      Position keyAt = position(tuple.getKeyNode().getStartMark());
      if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
        throw refused(keyAt, "a key must be a string");
      }
      if (keyNode.isPlain() && keyNode.getValue().equals("<<")) {
        merge(fromYaml(tuple.getValueNode(), above), merged);
        continue;
      }
      Node.Scalar key = scalar(keyAt, keyNode);
      // Kubernetes turns other scalars into strings where they are keys.
      String name = key.kind() == Kind.NULL ? "null" : key.text();
      Node value = fromYaml(tuple.getValueNode(), above);
      if (entries.putIfAbsent(name, new Node.Entry(keyAt, value)) != null) {
        error(keyAt, "key \"" + name + "\" already set in map");
      }
    }
    for (Node.Mapping more : merged) {
      more.entries().forEach(entries::putIfAbsent);
    }
    return new Node.Mapping(at, entries);
  }

  private void merge(Node value, List<Node.Mapping> merged) {
    switch (value) {
      case Node.Mapping map -> merged.add(map);
      case Node.Sequence sequence -> {
        for (Node item : sequence.items()) {
          if (!(item instanceof Node.Mapping map)) {
            throw refused(
                item.position(), "map merge requires map or sequence of maps as the value");
          }
          merged.add(map);
        }
      }
      case Node.Scalar scalar ->
          throw refused(
              scalar.position(), "map merge requires map or sequence of maps as the value");
    }
  }

  private Node.Scalar scalar(Position at, ScalarNode scalar) {
    String text = scalar.getValue();
    Tag tag = scalar.getTag();
    String tagName = tag.getValue();
    if (tag.startsWith(Tag.PREFIX)) {
      // The composer has resolved what carries no tag; a tag that the text itself has shows only in
      // that the word would resolve
      // otherwise, so strings and all quoted scalars are strings, and the rest is read anew by
      // Kubernetes' rules.
      if (tag.equals(Tag.STR) && !scalar.isPlain()) {
        return new Node.Scalar(at, Kind.STRING, text);
      }
      if (tag.equals(Tag.BINARY)) {
        throw refused(at, "the tag !!binary is not supported");
      }
      if (!scalar.isPlain()) {
        return typed(at, Scalars.plain(at, text), tag);
      }
      if (tag.equals(Tag.STR) && resolvesOtherwise(text)) {
        return new Node.Scalar(at, Kind.STRING, text);
      }
      return Scalars.plain(at, text);
    }
    throw refused(at, "the tag " + tagName + " is not supported");
  }

  private boolean resolvesOtherwise(String text) {
    return !resolver.resolve(NodeId.scalar, text, true).equals(Tag.STR);
  }

  private Node.Scalar typed(Position at, Node.Scalar value, Tag tag) {
    Kind wanted =
        tag.equals(Tag.INT)
            ? Kind.INTEGER
            : tag.equals(Tag.BOOL)
                ? Kind.BOOLEAN
                : tag.equals(Tag.FLOAT)
                    ? Kind.FLOAT
                    : tag.equals(Tag.NULL) ? Kind.NULL : Kind.STRING;
    if (wanted != value.kind()) {
      throw refused(at, "the value does not fit its tag");
    }
    return value;
  }

  private void requireTag(org.yaml.snakeyaml.nodes.Node node, Tag tag, Position at) {
    if (!node.getTag().equals(tag)) {
      throw refused(at, "the tag " + node.getTag().getValue() + " is not supported");
    }
  }

  private static Position position(@Nullable Mark mark) {
    return mark == null ? Position.START : new Position(mark.getLine() + 1, mark.getColumn() + 1);
  }

  private static String problem(MarkedYAMLException e) {
    String problem = e.getProblem();
    if (problem == null) {
      problem = e.getContext();
    }
    return problem == null ? "malformed" : firstLine(problem);
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  // --- JSON

  private List<Node> json(String text) throws IOException {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(MAX_BYTES)
                    .build())
            .build();
    List<Node> documents = new ArrayList<>();
    try (JsonParser parser = factory.createParser(text)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        documents.add(fromJson(parser, token, 0));
      }
    }
    return documents;
  }

  private Node fromJson(JsonParser parser, @Nullable JsonToken token, int depth)
      throws IOException {
    Position at = position(parser.currentTokenLocation());
    count(at, depth);
    if (token == null) {
      throw refused(at, "is not valid JSON: it ends too early");
    }
    return switch (token) {
      case START_OBJECT -> {
        LinkedHashMap<String, Node.Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          Position keyAt = position(parser.currentTokenLocation());
          Node value = fromJson(parser, parser.nextToken(), depth + 1);
          if (entries.putIfAbsent(name, new Node.Entry(keyAt, value)) != null) {
            error(keyAt, "key \"" + name + "\" already set in map");
          }
        }
        yield new Node.Mapping(at, entries);
      }
      case START_ARRAY -> {
        List<Node> items = new ArrayList<>();
        for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
          items.add(fromJson(parser, t, depth + 1));
        }
        yield new Node.Sequence(at, items);
      }
      case VALUE_STRING -> new Node.Scalar(at, Kind.STRING, parser.getText());
      case VALUE_NUMBER_INT -> new Node.Scalar(at, Kind.INTEGER, parser.getText());
      case VALUE_NUMBER_FLOAT -> new Node.Scalar(at, Kind.FLOAT, parser.getText());
      case VALUE_TRUE, VALUE_FALSE -> new Node.Scalar(at, Kind.BOOLEAN, parser.getText());
      case VALUE_NULL -> new Node.Scalar(at, Kind.NULL, "null");
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
          throw refused(at, "is not valid JSON");
    };
  }

  private static Position position(@Nullable JsonLocation location) {
    return location == null
        ? Position.START
        : new Position(Math.max(1, location.getLineNr()), Math.max(1, location.getColumnNr()));
  }

  // --- bounds

  private void count(Position at, int depth) {
    if (++nodes > MAX_NODES) {
      throw refused(at, "has more than " + MAX_NODES + " values, anchors expanded");
    }
    if (depth > MAX_DEPTH) {
      throw refused(at, "is nested deeper than " + MAX_DEPTH + " levels");
    }
  }

  private Refused refused(Position at, String message) {
    return new Refused(new ManifestError(source, at, "", message));
  }

  /// The rest of the text makes no sense.
  private static final class Refused extends RuntimeException {
    final transient ManifestError error;

    Refused(ManifestError error) {
      super(error.toString(), null, false, false);
      this.error = error;
    }
  }
}
