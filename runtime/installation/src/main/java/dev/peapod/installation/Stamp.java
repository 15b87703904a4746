package dev.peapod.installation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Remembers what things were made from, so that they are not made again from the same.
final class Stamp {
  private final Path directory;

  Stamp(Path directory) {
    this.directory = directory;
  }

  /// Whether `name` was last made from exactly this.
  boolean matches(String name, String madeFrom) throws IOException {
    Path file = directory.resolve(name);
    return Files.exists(file) && Files.readString(file).equals(madeFrom);
  }

  void set(String name, String madeFrom) throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve(name), madeFrom.getBytes(StandardCharsets.UTF_8));
  }

  /// Forgets: half-made things are made again.
  void clear(String name) throws IOException {
    Files.deleteIfExists(directory.resolve(name));
  }
}
