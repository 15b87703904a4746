package dev.peapod.image.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Digest;
import dev.peapod.image.ImageConfigReader;
import dev.peapod.image.JsonDocuments;
import dev.peapod.image.manifest.ManifestDocument.Index;
import dev.peapod.image.manifest.ManifestDocument.Manifest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads OCI and Docker (schema 2) manifests and indexes.
///
/// A document that could be taken for both is refused, since two readers could see two images under
/// one digest.
public final class ManifestReader {
  /// The largest document that is read, in bytes.
  public static final int MAX_BYTES = 4 << 20;

  public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";
  public static final String DOCKER_INDEX =
      "application/vnd.docker.distribution.manifest.list.v2+json";

  private static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
  private static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
  private static final String WHAT = "the image's manifest";
  private static final int MAX_MANIFESTS = 1000;

  private ManifestReader() {}

  /// Reads a document.
  ///
  /// @param contentType as the transport says it, without parameters; empty if it says none
  /// @throws PeapodException INVALID, saying what is wrong with it
  public static ManifestDocument read(byte[] document, String contentType) {
    if (document.length > MAX_BYTES) {
      throw PeapodException.invalid(WHAT + " is larger than 4 MiB");
    }
    JsonNode root = JsonDocuments.object(document, WHAT);
    boolean index = root.has("manifests");
    boolean manifest = root.has("config") || root.has("layers") || root.has("fsLayers");
    if (index && manifest) {
      throw PeapodException.invalid(
          "the image's document is both a manifest and an index, which is refused");
    }
    String said = JsonDocuments.text(root, "mediaType", WHAT).orElse("");
    if (root.path("schemaVersion").asInt(2) == 1 || root.has("fsLayers")) {
      throw PeapodException.invalid(
          "the image has a manifest of Docker's old schema 1, which is not supported: push it again"
              + " with a newer tool");
    }
    for (String type : List.of(said, contentType)) {
      boolean wrong =
          switch (type) {
            case OCI_MANIFEST, DOCKER_MANIFEST -> !manifest;
            case OCI_INDEX, DOCKER_INDEX -> !index;
            default -> false;
          };
      if (wrong) {
        throw PeapodException.invalid(
            "the image's document is not the " + type + " that it is said to be");
      }
    }
    if (index) {
      return new Index(descriptors(root.path("manifests"), "manifests", MAX_MANIFESTS));
    }
    if (!manifest) {
      throw PeapodException.invalid("the image's document is neither a manifest nor an index");
    }
    return image(root);
  }

  /// The image of an index for a machine.
  ///
  /// @throws PeapodException NOT_FOUND, listing what there is
  public static Descriptor choose(Index index, Platform machine) {
    List<Platform> others = new ArrayList<>();
    for (Descriptor descriptor : index.manifests()) {
      Optional<Platform> platform = descriptor.platform();
      if (platform.isPresent() && machine.runs(platform.get())) {
        return descriptor;
      }
      platform.filter(p -> !p.os().equals("unknown")).ifPresent(others::add);
    }
    if (index.manifests().size() == 1 && index.manifests().getFirst().platform().isEmpty()) {
      return index.manifests().getFirst();
    }
    throw PeapodException.notFound(
        "the image is not made for "
            + machine
            + (others.isEmpty() ? "" : ", only for " + String.join(", ", names(others))));
  }

  private static List<String> names(List<Platform> platforms) {
    return platforms.stream().map(Platform::toString).distinct().toList();
  }

  private static Manifest image(JsonNode root) {
    Descriptor config = descriptor(root.path("config"), "config");
    if (!config.mediaType().equals(OCI_CONFIG) && !config.mediaType().equals(DOCKER_CONFIG)) {
      throw PeapodException.invalid(
          "this is not a container image: its configuration is of type \""
              + config.mediaType()
              + "\"");
    }
    List<Descriptor> layers =
        descriptors(root.path("layers"), "layers", ImageConfigReader.MAX_LAYERS);
    for (Descriptor layer : layers) {
      if (layer.mediaType().contains("encrypted")) {
        throw PeapodException.invalid("the image's layers are encrypted, which is not supported");
      }
    }
    return new Manifest(config, layers);
  }

  private static List<Descriptor> descriptors(JsonNode list, String field, int max) {
    if (!list.isArray()) {
      throw PeapodException.invalid(WHAT + ": " + field + " is not a list");
    }
    if (list.size() > max) {
      throw PeapodException.invalid(
          WHAT + ": " + list.size() + " " + field + ", where at most " + max + " are supported");
    }
    List<Descriptor> descriptors = new ArrayList<>(list.size());
    for (JsonNode node : list) {
      descriptors.add(descriptor(node, field));
    }
    return descriptors;
  }

  private static Descriptor descriptor(JsonNode node, String field) {
    JsonNode size = node.path("size");
    if (!node.isObject() || !size.isIntegralNumber() || !size.canConvertToLong()) {
      throw PeapodException.invalid(WHAT + ": " + field + " has no size");
    }
    if (size.longValue() < 0) {
      throw PeapodException.invalid(WHAT + ": " + field + " has a negative size");
    }
    Optional<String> digest = JsonDocuments.text(node, "digest", WHAT);
    if (digest.isEmpty()) {
      throw PeapodException.invalid(WHAT + ": " + field + " has no digest");
    }
    Map<String, String> annotations = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.path("annotations").properties()) {
      annotations.put(entry.getKey(), entry.getValue().asText());
    }
    return new Descriptor(
        JsonDocuments.text(node, "mediaType", WHAT).orElse(""),
        Digest.parse(digest.get()),
        size.longValue(),
        platform(node.path("platform")),
        annotations);
  }

  private static Optional<Platform> platform(JsonNode node) {
    if (!node.isObject()) {
      return Optional.empty();
    }
    return Optional.of(
        new Platform(
            JsonDocuments.text(node, "os", WHAT).orElse(""),
            JsonDocuments.text(node, "architecture", WHAT).orElse(""),
            JsonDocuments.text(node, "variant", WHAT)));
  }
}
