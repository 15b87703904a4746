package dev.peapod.cli;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Reads what `-f` names: files, directories (their *.yaml, *.yml and *.json), `-` for the standard
/// input.
final class ManifestFiles {
  /// The daemon takes no more in one message.
  private static final int MOST = 12 << 20;

  private ManifestFiles() {}

  static List<Manifest> read(List<String> names) {
    List<Manifest> manifests = new ArrayList<>();
    for (String name : names) {
      if (name.equals("-")) {
        manifests.add(read("-", System.in));
        continue;
      }
      for (Path file : files(Path.of(name))) {
        try (InputStream in = Files.newInputStream(file)) {
          manifests.add(read(file.toString(), in));
        } catch (IOException e) {
          throw new Failure("can not read " + file + ": " + e.getMessage());
        }
      }
    }
    return manifests;
  }

  private static Manifest read(String source, InputStream in) {
    try {
      byte[] content = in.readNBytes(MOST);
      if (content.length == MOST) {
        throw new Failure(source + " is too large to be a manifest");
      }
      return Manifest.newBuilder()
          .setSource(source)
          .setContent(ByteString.copyFrom(content))
          .build();
    } catch (IOException e) {
      throw new Failure("can not read " + source + ": " + e.getMessage());
    }
  }

  private static List<Path> files(Path path) {
    if (!Files.exists(path)) {
      throw new Failure("there is no file " + path);
    }
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> entries = Files.list(path)) {
      List<Path> files =
          entries
              .filter(Files::isRegularFile)
              .filter(file -> file.toString().matches(".*\\.(yaml|yml|json)"))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new Failure("there are no .yaml, .yml or .json files in " + path);
      }
      return files;
    } catch (IOException e) {
      throw new Failure("can not list " + path + ": " + e.getMessage());
    }
  }
}
