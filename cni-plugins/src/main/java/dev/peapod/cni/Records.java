package dev.peapod.cni;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.cni.host.PrivateDirectories;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.cni.spec.Json;
import dev.peapod.cni.spec.Keys;
import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What was asked for and made for each sandbox. Thread-safe for different sandboxes.
///
/// A file each, of two lines of JSON: the request, written before anything is made, and the result,
/// added when all is made. A last line without an end was interrupted and does not count.
final class Records {
  private static final System.Logger LOG = System.getLogger(Records.class.getName());
  private static final int VERSION = 1;
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
      Optional<CniResult> result) {}

  /// Writes the record of what is going to be made.
  ///
  /// @throws PeapodException ALREADY_EXISTS if the sandbox has one
  void create(Record record) {
    byte[] text = line(json(record));
    try {
      try {
        Files.write(file(record.sandboxId()), text, CREATE_NEW, WRITE);
      } catch (NoSuchFileException e) {
        PrivateDirectories.make(directory);
        Files.write(file(record.sandboxId()), text, CREATE_NEW, WRITE);
      }
    } catch (FileAlreadyExistsException e) {
      throw new PeapodException(
          PeapodException.Kind.ALREADY_EXISTS,
          "sandbox " + record.sandboxId() + " is attached to the network already",
          e);
    } catch (IOException e) {
      throw notRecorded(record.sandboxId(), e);
    }
  }

  /// Appends what was made. To replace the file instead would make some filesystems write it out at
  /// once.
  void complete(String sandboxId, CniResult result) {
    try {
      Files.write(file(sandboxId), line(result.write("1.0.0")), APPEND);
    } catch (IOException e) {
      throw notRecorded(sandboxId, e);
    }
  }

  /// Puts a record in the place of the one that the sandbox has, in one step.
  void replace(Record record) {
    byte[] request = line(json(record));
    byte[] result = record.result().map(r -> line(r.write("1.0.0"))).orElse(new byte[0]);
    byte[] text = Arrays.copyOf(request, request.length + result.length);
    System.arraycopy(result, 0, text, request.length, result.length);
    Path temporary = directory.resolve("." + record.sandboxId());
    try {
      Files.write(temporary, text);
      Files.move(temporary, file(record.sandboxId()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw notRecorded(record.sandboxId(), e);
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

  /// All records. A file that can not be read is renamed and reported.
  List<Record> all() {
    List<Record> records = new ArrayList<>();
    for (String name : names()) {
      if (name.startsWith(".") && !name.startsWith(DAMAGED)) {
        delete(name); // A replacement that was cut short.
      } else if (!name.startsWith(".")) {
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
    return node;
  }

  private static Record record(byte[] text, String source) {
    List<byte[]> lines = lines(text);
    if (lines.isEmpty()) {
      throw PeapodException.invalid(source + ": no whole line");
    }
    ObjectNode node = Json.read(lines.getFirst(), source);
    Keys keys = new Keys(node, source);
    if (keys.number("version", 0) != VERSION) {
      throw PeapodException.invalid(source + ": version " + node.get("version") + " is not known");
    }
    Optional<CniResult> result = Optional.empty();
    if (lines.size() > 1) {
      result = Optional.of(CniResult.read(new Keys(Json.read(lines.get(1), source), source)));
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
        result);
  }

  private static byte[] line(ObjectNode node) {
    byte[] text = Json.write(node);
    byte[] line = Arrays.copyOf(text, text.length + 1);
    line[text.length] = '\n';
    return line;
  }

  private static List<byte[]> lines(byte[] text) {
    List<byte[]> lines = new ArrayList<>();
    int start = 0;
    for (int at = 0; at < text.length; at++) {
      if (text[at] == '\n') {
        lines.add(Arrays.copyOfRange(text, start, at));
        start = at + 1;
      }
    }
    return lines;
  }

  private static PeapodException notRecorded(String sandboxId, IOException cause) {
    return PeapodException.internal(
        "the network of sandbox " + sandboxId + " can not be recorded", cause);
  }
}
