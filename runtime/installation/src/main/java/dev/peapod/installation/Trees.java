package dev.peapod.installation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Files that are written only if they change, so that what is made from them is up to date by their times.
final class Trees {
  private Trees() {}

  static void copy(Path from, Path to, String permissions) throws IOException {
    if (!Files.exists(to) || Files.mismatch(from, to) >= 0) {
      Files.createDirectories(to.getParent());
      Path temporary = to.resolveSibling(to.getFileName() + ".new");
      Files.copy(from, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.move(temporary, to, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.setPosixFilePermissions(to, PosixFilePermissions.fromString(permissions));
  }

  static void write(Path to, byte[] content, String permissions) throws IOException {
    Files.createDirectories(to.getParent());
    Path temporary = Files.createTempFile(to.getParent(), "new", "");
    try {
      Files.write(temporary, content);
      copy(temporary, to, permissions);
    } finally {
      Files.delete(temporary);
    }
  }

  static void write(Path to, String content, String permissions) throws IOException {
    write(to, content.getBytes(StandardCharsets.UTF_8), permissions);
  }

  /// Removes what the directory holds beyond the given names.
  static void keepOnly(Path directory, List<String> names) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        if (!names.contains(entry.getFileName().toString())) {
          delete(entry);
        }
      }
    }
  }

  static void delete(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(tree)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
