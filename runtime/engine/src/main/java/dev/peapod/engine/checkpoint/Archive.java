package dev.peapod.engine.checkpoint;

import dev.peapod.image.layer.TarEntry;
import dev.peapod.image.layer.TarWriter;
import dev.peapod.linux.FileAttributes;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A tar archive that is written under another name and only has its own once it is whole; for its owner alone.
/// Not thread-safe.
final class Archive implements AutoCloseable {
  private static final Set<StandardOpenOption> NEW =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);

  private final Path location;
  private final Path temp;
  private final TarWriter tar;
  private final long now = Instant.now().getEpochSecond();
  private boolean ended;

  private Archive(Path location, Path temp, TarWriter tar) {
    this.location = location;
    this.temp = temp;
    this.tar = tar;
  }

  /// Begins an archive; [#commit()] gives it its name.
  static Archive begin(Path location, String suffix) throws IOException {
    Path temp = location.resolveSibling("." + location.getFileName() + "." + suffix);
    OutputStream out =
        Channels.newOutputStream(
            Files.newByteChannel(
                temp,
                NEW,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))));
    return new Archive(location, temp, new TarWriter(new BufferedOutputStream(out, 1 << 18)));
  }

  void document(String name, byte[] content) throws IOException {
    tar.add(entry(name, '0', content.length), new ByteArrayInputStream(content));
  }

  void file(String name, Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      tar.add(entry(name, '0', Files.size(file)), in);
    }
  }

  /// Adds the files of a directory without directories, by their names' order.
  void directory(String name, Path directory) throws IOException {
    tar.add(entry(name + "/", '5', 0));
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(directory)) {
      found.forEach(files::add);
    }
    files.sort(null);
    for (Path file : files) {
      file(name + "/" + file.getFileName(), file);
    }
  }

  private TarEntry entry(String name, char type, long size) {
    FileAttributes attributes =
        new FileAttributes(type == '5' ? 0700 : 0600, 0, 0, now, 0, Map.of());
    return new TarEntry(name, type, "", size, 0, 0, attributes);
  }

  /// Ends it and gives it its name; what had the name before is replaced.
  void commit() throws IOException {
    tar.close();
    Files.move(temp, location, StandardCopyOption.ATOMIC_MOVE);
    ended = true;
  }

  /// Removes what was not committed.
  @Override
  public void close() throws IOException {
    if (!ended) {
      ended = true;
      try {
        tar.close();
      } finally {
        Files.deleteIfExists(temp);
      }
    }
  }
}
