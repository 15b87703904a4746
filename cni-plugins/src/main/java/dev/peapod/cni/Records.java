package dev.peapod.cni;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.cni.spec.Json;
import dev.peapod.cni.spec.Keys;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What was asked for and made for each sandbox, a file each: written before anything is made, and again with the result. Thread-safe
/// for different sandboxes.
final class Records {
  private static final System.Logger LOG = System.getLogger(Records.class.getName());
  private static final int VERSION = 1;
  private static final String TEMPORARY = ".tmp-";
  private static final String DAMAGED = ".damaged-";

  private final Path directory;

  Records(Path directory) {
    this.directory = directory;
  }

  /// @param result empty as long as the list has not been run to its end
  record Record(
      String sandboxId,
      Path netns,
      String interfaceName,
      String args,
      List<PortMapping> portMappings,
      NetworkList list,
      Optional<CniResult> result) {
    Record withResult(CniResult value) {
      return new Record(
          sandboxId, netns, interfaceName, args, portMappings, list, Optional.of(value));
    }
  }

  void write(Record record) {
    Path temporary = directory.resolve(TEMPORARY + record.sandboxId());
    byte[] text = Json.write(json(record));
    try {
      try {
        Files.write(temporary, text);
      } catch (NoSuchFileException e) {
        Files.createDirectories(directory);
        Files.write(temporary, text);
      }
      Files.move(temporary, file(record.sandboxId()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw PeapodException.internal(
          "the network of sandbox " + record.sandboxId() + " can not be recorded", e);
    }
  }

  Optional<Record> read(String sandboxId) {
    byte[] text;
    try {
      text = Files.readAllBytes(file(sandboxId));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw PeapodException.internal(file(sandboxId) + " can not be read", e);
    }
    return Optional.of(record(text, file(sandboxId).toString()));
  }

  void delete(String sandboxId) {
    try {
      Files.deleteIfExists(file(sandboxId));
    } catch (IOException e) {
      throw PeapodException.internal(file(sandboxId) + " can not be removed", e);
    }
  }

  /// The sandboxes that have a record. Of an interrupted write nothing is told; a file that can not be read is renamed and reported.
  List<Record> all() {
    List<Record> records = new ArrayList<>();
    for (String name : names()) {
      if (!name.startsWith(".")) {
        try {
          read(name).ifPresent(records::add);
        } catch (PeapodException e) {
          setAside(name, e);
        }
      }
    }
    return records;
  }

  /// Whether no sandbox has a record.
  boolean isEmpty() {
    return names().stream().allMatch(name -> name.startsWith("."));
  }

  /// Removes what interrupted writes have left.
  void removeTemporaries() {
    names().stream().filter(name -> name.startsWith(TEMPORARY)).forEach(this::delete);
  }

  /// Removes the directory, if it is empty.
  void removeDirectory() {
    if (names().isEmpty()) {
      try {
        Files.deleteIfExists(directory);
      } catch (IOException e) {
        throw PeapodException.internal(directory + " can not be removed", e);
      }
    }
  }

  private void setAside(String name, PeapodException reason) {
    Path aside = directory.resolve(DAMAGED + name);
    LOG.log(
        System.Logger.Level.WARNING,
        "the record {0} can not be read and is set aside as {1}: {2}",
        file(name),
        aside,
        reason.getMessage());
    try {
      Files.move(file(name), aside, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "it can not be set aside", e);
    }
  }

  private List<String> names() {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    } catch (IOException e) {
      throw PeapodException.internal(directory + " can not be listed", e);
    }
  }

  private Path file(String sandboxId) {
    return directory.resolve(sandboxId);
  }

  private static ObjectNode json(Record record) {
    ObjectNode node =
        Json.object()
            .put("version", VERSION)
            .put("sandboxId", record.sandboxId())
            .put("netns", record.netns().toString())
            .put("interface", record.interfaceName())
            .put("args", record.args());
    ArrayNode ports = node.putArray("portMappings");
    for (PortMapping mapping : record.portMappings()) {
      ports
          .addObject()
          .put("protocol", mapping.protocol().text())
          .put("containerPort", mapping.containerPort())
          .put("hostPort", mapping.hostPort())
          .put("hostIp", mapping.hostIp());
    }
    node.set("list", record.list().json());
    ArrayNode path = node.putArray("pluginPath");
    record.list().pluginPath().forEach(directory -> path.add(directory.toString()));
    record.result().ifPresent(result -> node.set("result", result.write("1.0.0")));
    return node;
  }

  private static Record record(byte[] text, String source) {
    ObjectNode node = Json.read(text, source);
    Keys keys = new Keys(node, source);
    if (keys.number("version", 0) != VERSION) {
      throw PeapodException.invalid(source + ": version " + node.get("version") + " is not known");
    }
    List<PortMapping> ports =
        keys.objects("portMappings").stream()
            .map(
                port ->
                    new PortMapping(
                        Protocol.parse(port.text("protocol")),
                        port.number("containerPort", 0),
                        port.number("hostPort", 0),
                        port.text("hostIp")))
            .toList();
    List<Path> path = keys.texts("pluginPath").stream().map(Path::of).toList();
    Keys list =
        keys.object("list")
            .orElseThrow(() -> PeapodException.invalid(source + ": key \"list\" is missing"));
    return new Record(
        keys.text("sandboxId"),
        Path.of(keys.text("netns")),
        keys.text("interface"),
        keys.text("args"),
        ports,
        NetworkList.of(list.node(), source, path),
        keys.object("result").map(CniResult::read));
  }
}
