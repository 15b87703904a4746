package dev.peapod.cni.spec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;

/// JSON, read strictly: one object, no duplicate keys, nothing after it, of bounded depth and size.
public final class Json {
  private static final int MAX_DEPTH = 64;
  private static final int MAX_BYTES = 4 << 20;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxDocumentLength(MAX_BYTES)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Json() {}

  /// An object without members.
  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /// Reads one object.
  ///
  /// @param source what it is, for the error
  /// @throws PeapodException INVALID with line and column if it is not one JSON object
  public static ObjectNode read(byte[] text, String source) {
    JsonNode node;
    try {
      node = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      String where =
          at == null ? "" : ", line " + at.getLineNr() + " column " + at.getColumnNr();
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          source + where + ": not valid JSON: " + e.getOriginalMessage(),
          e);
    } catch (java.io.IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, source + ": not valid JSON: " + e.getMessage(), e);
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw PeapodException.invalid(source + ": not a JSON object");
  }

  /// Writes an object on one line, in UTF-8.
  public static byte[] write(ObjectNode object) {
    try {
      return MAPPER.writeValueAsBytes(object);
    } catch (JsonProcessingException e) {
      throw PeapodException.internal("JSON can not be written", e);
    }
  }
}
