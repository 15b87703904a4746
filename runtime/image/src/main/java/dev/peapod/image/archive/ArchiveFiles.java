package dev.peapod.image.archive;

import dev.peapod.error.PeapodException;
import dev.peapod.image.layer.Decompression;
import dev.peapod.image.layer.TarEntry;
import dev.peapod.image.layer.TarReader;
import dev.peapod.image.store.IoErrors;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The files of an archive, kept under numbers in a scratch directory; their names are never used
/// as paths.
final class ArchiveFiles {
  private static final int MAX_ENTRIES = 20_000;
  private static final int MAX_LINKS = 20;

  private final Map<String, Path> files = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();

  /// Reads an archive, compressed or not, to its end.
  ///
  /// @throws PeapodException INVALID if it is no tar archive, RESOURCE_EXHAUSTED
  static ArchiveFiles extract(InputStream archive, Path scratch) {
    ArchiveFiles found = new ArchiveFiles();
    try {
      InputStream tar = Decompression.open(archive);
      TarReader reader = new TarReader(tar);
      int entries = 0;
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        if (++entries > MAX_ENTRIES) {
          throw PeapodException.invalid(
              "this is not an image archive: it has more than " + MAX_ENTRIES + " files");
        }
        found.add(entry, reader, scratch.resolve(Integer.toString(entries)));
      }
      if (entries == 0) {
        throw PeapodException.invalid("this is not an image archive: it is empty");
      }
      return found;
    } catch (IOException e) {
      throw PeapodException.invalid("the archive can not be read: " + e.getMessage());
    }
  }

  /// The file of this name, through the archive's own links.
  Optional<Path> file(String name) {
    String at = clean(name);
    for (int i = 0; i < MAX_LINKS && links.containsKey(at); i++) {
      at = links.getOrDefault(at, "");
    }
    return Optional.ofNullable(files.get(at));
  }

  /// A document of the archive; absent if there is no such file.
  ///
  /// @throws PeapodException INVALID if it is larger
  Optional<byte[]> document(String name, int maxBytes) {
    Optional<Path> file = file(name);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream in = Files.newInputStream(file.get())) {
      byte[] content = in.readNBytes(maxBytes + 1);
      if (content.length > maxBytes) {
        throw PeapodException.invalid(
            "the archive's " + name + " is larger than " + (maxBytes >> 20) + " MiB");
      }
      return Optional.of(content);
    } catch (IOException e) {
      throw IoErrors.of("the archive's " + name + " can not be read", e);
    }
  }

  private void add(TarEntry entry, TarReader reader, Path file) throws IOException {
    String name = clean(text(entry.name()));
    switch (entry.type()) {
      case '0' -> {
        try (OutputStream out = create(file)) {
          reader.content(
              (buffer, offset, length) -> {
                try {
                  out.write(buffer, offset, length);
                } catch (IOException e) {
                  throw IoErrors.of("the archive can not be kept in " + file, e);
                }
              });
        }
        links.remove(name);
        files.put(name, file);
      }
      case '1' -> {
        files.remove(name);
        links.put(name, clean(text(entry.linkName())));
      }
      case '2' -> {
        String target = text(entry.linkName());
        int slash = name.lastIndexOf('/');
        String above = target.startsWith("/") || slash < 0 ? "" : name.substring(0, slash + 1);
        files.remove(name);
        links.put(name, clean(above + target));
      }
      default -> {
        // Directories say nothing, and anything else is not looked at.
      }
    }
  }

  private static OutputStream create(Path file) {
    try {
      return Files.newOutputStream(file);
    } catch (IOException e) {
      throw IoErrors.of("the archive can not be kept in " + file, e);
    }
  }

  private static String clean(String name) {
    return Path.of("/", name.replace("\0", "")).normalize().toString().substring(1);
  }

  private static String text(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
