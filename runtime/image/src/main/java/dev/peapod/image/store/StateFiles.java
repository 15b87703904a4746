package dev.peapod.image.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Digest;
import dev.peapod.image.ImageConfigReader;
import dev.peapod.image.JsonDocuments;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The index (`index.json`) and the images' configurations (`configs/`), as they are on disk.
///
/// Not thread-safe: the store writes under its lock.
final class StateFiles {
  private static final System.Logger LOG = System.getLogger(StateFiles.class.getName());
  private static final int VERSION = 1;
  private static final String WHAT = "the image index";

  private final Path index;
  private final Path configs;

  StateFiles(Path directory) {
    index = directory.resolve("index.json");
    configs = directory.resolve("configs");
  }

  /// Reads what there is. A torn or foreign index is set aside; an image that lacks a part is left
  /// out.
  StoreState read() throws IOException {
    if (!Files.exists(index)) {
      return StoreState.EMPTY;
    }
    try {
      JsonNode root = JsonDocuments.object(Files.readAllBytes(index), WHAT);
      if (root.path("version").asInt() != VERSION) {
        throw PeapodException.invalid(WHAT + " is of version " + root.path("version"));
      }
      return state(root);
    } catch (PeapodException e) {
      Path aside = index.resolveSibling("index.json.broken");
      Files.move(index, aside, StandardCopyOption.REPLACE_EXISTING);
      LOG.log(Level.ERROR, "image index set aside as {0}: {1}", aside, e.getMessage());
      return StoreState.EMPTY;
    }
  }

  void write(StoreState state) throws IOException {
    AtomicFiles.write(index, JsonDocuments.write(json(state)));
  }

  void writeConfig(Digest id, byte[] document) throws IOException {
    AtomicFiles.write(config(id.toString()), document);
  }

  /// Removes the configurations of images that the state does not have.
  void retainConfigs(StoreState state) throws IOException {
    Set<Path> wanted = new HashSet<>();
    state.images().keySet().forEach(id -> wanted.add(config(id)));
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(configs)) {
      for (Path file : stream) {
        if (!wanted.contains(file)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private Path config(String id) {
    return configs.resolve(id.replace(':', '-') + ".json");
  }

  private StoreState state(JsonNode root) throws IOException {
    Map<String, LayerRecord> layers = new HashMap<>();
    for (JsonNode node : root.path("layers")) {
      LayerRecord layer =
          new LayerRecord(
              Digest.parse(node.path("diffId").asText()),
              node.path("directory").asText(),
              node.path("bytes").asLong(),
              node.path("inodes").asLong(),
              JsonDocuments.texts(node, "unsaid", WHAT));
      if (Files.isDirectory(index.resolveSibling("l").resolve(layer.directory()))) {
        layers.put(layer.directory(), layer);
      }
    }
    Map<String, ImageRecord> images = new HashMap<>();
    for (JsonNode node : root.path("images")) {
      String id = node.path("id").asText();
      List<String> directories = JsonDocuments.texts(node, "layers", WHAT);
      List<String> missing = new ArrayList<>(directories);
      missing.removeAll(layers.keySet());
      missing.remove(ContentStore.EMPTY_LAYER);
      try {
        byte[] document = Files.readAllBytes(config(id));
        if (!Digest.parse(id).matches(document) || !missing.isEmpty()) {
          throw PeapodException.invalid("a part is damaged");
        }
        images.put(id, new ImageRecord(id, ImageConfigReader.read(document), directories));
      } catch (PeapodException | IOException e) {
        LOG.log(Level.ERROR, "image {0} is left out: {1}", id, e.getMessage());
      }
    }
    Map<String, OwnerRecord> owners = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("owners").properties()) {
      JsonNode node = entry.getValue();
      Set<String> ids = new HashSet<>(JsonDocuments.texts(node, "images", WHAT));
      ids.retainAll(images.keySet());
      owners.put(
          entry.getKey(),
          new OwnerRecord(ids, names(node.path("tags"), ids), names(node.path("digests"), ids)));
    }
    return new StoreState(layers, images, owners);
  }

  private static Map<String, String> names(JsonNode node, Set<String> ids) {
    Map<String, String> names = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (ids.contains(entry.getValue().asText())) {
        names.put(entry.getKey(), entry.getValue().asText());
      }
    }
    return names;
  }

  private static ObjectNode json(StoreState state) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("version", VERSION);
    ArrayNode layers = root.putArray("layers");
    for (LayerRecord layer : new TreeMap<>(state.layers()).values()) {
      ObjectNode node = layers.addObject();
      node.put("diffId", layer.diffId().toString());
      node.put("directory", layer.directory());
      node.put("bytes", layer.bytes());
      node.put("inodes", layer.inodes());
      layer.unsaid().forEach(node.putArray("unsaid")::add);
    }
    ArrayNode images = root.putArray("images");
    for (ImageRecord image : new TreeMap<>(state.images()).values()) {
      ObjectNode node = images.addObject();
      node.put("id", image.id());
      image.layers().forEach(node.putArray("layers")::add);
    }
    ObjectNode owners = root.putObject("owners");
    new TreeMap<>(state.owners())
        .forEach(
            (name, owner) -> {
              ObjectNode node = owners.putObject(name);
              List<String> ids = new ArrayList<>(owner.images());
              ids.stream().sorted().forEach(node.putArray("images")::add);
              new TreeMap<>(owner.tags()).forEach(node.putObject("tags")::put);
              new TreeMap<>(owner.digests()).forEach(node.putObject("digests")::put);
            });
    return root;
  }
}
