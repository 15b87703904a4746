package dev.peapod.image;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads OCI and Docker image configurations, which nobody is trusted to have written well.
public final class ImageConfigReader {
  /// The largest configuration that is read, in bytes.
  public static final int MAX_BYTES = 8 << 20;

  /// The most layers that an image may have; overlayfs takes no more in one page of options.
  public static final int MAX_LAYERS = 127;

  private static final String WHAT = "the image's configuration";

  private ImageConfigReader() {}

  /// Reads a configuration.
  ///
  /// @throws PeapodException INVALID, saying what is wrong with it
  public static ImageConfig read(byte[] document) {
    if (document.length > MAX_BYTES) {
      throw PeapodException.invalid(WHAT + " is larger than 8 MiB");
    }
    JsonNode root = JsonDocuments.object(document, WHAT);
    String os = JsonDocuments.text(root, "os", WHAT).orElse("linux");
    if (!os.isEmpty() && !os.equals("linux")) {
      throw PeapodException.invalid("the image is for " + os + ", not for Linux");
    }
    JsonNode config = root.path("config");
    if (!config.isMissingNode() && !config.isNull() && !config.isObject()) {
      throw PeapodException.invalid(WHAT + ": config is not an object");
    }
    return new ImageConfig(
        JsonDocuments.text(root, "architecture", WHAT).orElse(""),
        JsonDocuments.text(root, "variant", WHAT),
        JsonDocuments.text(root, "created", WHAT),
        JsonDocuments.text(config, "User", WHAT).orElse(""),
        JsonDocuments.texts(config, "Env", WHAT),
        JsonDocuments.texts(config, "Entrypoint", WHAT),
        JsonDocuments.texts(config, "Cmd", WHAT),
        JsonDocuments.text(config, "WorkingDir", WHAT).orElse(""),
        JsonDocuments.text(config, "StopSignal", WHAT).filter(s -> !s.isEmpty()),
        keys(config, "Volumes"),
        keys(config, "ExposedPorts"),
        labels(config),
        diffIds(root));
  }

  private static List<Digest> diffIds(JsonNode root) {
    JsonNode rootfs = root.path("rootfs");
    if (!rootfs.isObject()) {
      throw PeapodException.invalid(WHAT + " has no rootfs: it is not a container image's");
    }
    List<Digest> diffIds = new ArrayList<>();
    for (String text : JsonDocuments.texts(rootfs, "diff_ids", WHAT)) {
      diffIds.add(Digest.parse(text));
    }
    if (diffIds.size() > MAX_LAYERS) {
      throw PeapodException.invalid(
          "the image has " + diffIds.size() + " layers; at most " + MAX_LAYERS + " are supported");
    }
    return diffIds;
  }

  private static List<String> keys(JsonNode config, String field) {
    JsonNode node = config.path(field);
    if (node.isMissingNode() || node.isNull()) {
      return List.of();
    }
    if (!node.isObject()) {
      throw PeapodException.invalid(WHAT + ": " + field + " is not an object");
    }
    List<String> keys = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (entry.getKey().indexOf('\0') >= 0) {
        throw PeapodException.invalid(WHAT + ": " + field + " has a NUL character");
      }
      keys.add(entry.getKey());
    }
    return keys;
  }

  private static Map<String, String> labels(JsonNode config) {
    JsonNode node = config.path("Labels");
    if (node.isMissingNode() || node.isNull()) {
      return Map.of();
    }
    if (!node.isObject()) {
      throw PeapodException.invalid(WHAT + ": Labels is not an object");
    }
    Map<String, String> labels = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      labels.put(entry.getKey(), entry.getValue().asText());
    }
    return labels;
  }
}
