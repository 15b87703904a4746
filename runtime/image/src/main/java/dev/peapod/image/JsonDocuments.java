package dev.peapod.image;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads JSON that comes from outside: no duplicate keys, no trailing text, bounded depth.
/// Thread-safe.
public final class JsonDocuments {
  private static final int MAX_DEPTH = 100;
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonDocuments() {}

  /// Reads a JSON object.
  ///
  /// @param what names the document in errors
  /// @throws PeapodException INVALID if it is none
  public static JsonNode object(byte[] document, String what) {
    JsonNode node = read(document, what);
    if (!node.isObject()) {
      throw PeapodException.invalid(what + " is not a JSON object");
    }
    return node;
  }

  /// Reads any JSON value.
  ///
  /// @throws PeapodException INVALID if it is not JSON
  public static JsonNode read(byte[] document, String what) {
    try {
      JsonNode node = MAPPER.readTree(document);
      if (node == null || node.isMissingNode()) {
        throw PeapodException.invalid(what + " is empty");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw PeapodException.invalid(what + " is not valid JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw PeapodException.invalid(what + " is not valid JSON: " + e.getMessage());
    }
  }

  /// A value as JSON text.
  public static byte[] write(JsonNode node) {
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /// A text field; absent if it is missing or null.
  ///
  /// @throws PeapodException INVALID if it is anything else
  public static Optional<String> text(JsonNode node, String field, String what) {
    JsonNode value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw PeapodException.invalid(what + ": " + field + " is not a text");
    }
    if (value.textValue().indexOf('\0') >= 0) {
      throw PeapodException.invalid(what + ": " + field + " has a NUL character");
    }
    return Optional.of(value.textValue());
  }

  /// A field that is a list of texts; empty if it is missing or null.
  ///
  /// @throws PeapodException INVALID if it is anything else
  public static List<String> texts(JsonNode node, String field, String what) {
    JsonNode list = node.path(field);
    if (list.isMissingNode() || list.isNull()) {
      return List.of();
    }
    if (!list.isArray()) {
      throw PeapodException.invalid(what + ": " + field + " is not a list");
    }
    List<String> texts = new ArrayList<>(list.size());
    for (JsonNode value : list) {
      if (!value.isTextual()) {
        throw PeapodException.invalid(what + ": " + field + " is not a list of texts");
      }
      if (value.textValue().indexOf('\0') >= 0) {
        throw PeapodException.invalid(what + ": " + field + " has a NUL character");
      }
      texts.add(value.textValue());
    }
    return texts;
  }
}
