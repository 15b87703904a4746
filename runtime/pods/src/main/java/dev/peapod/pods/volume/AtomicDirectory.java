package dev.peapod.pods.volume;

import dev.peapod.pods.files.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/// A directory whose files change all at once, as kubelet lays it out: the files are in a hidden
/// directory of their own, `..data` is a link to it, and the visible names are links through
/// `..data`. A change is one rename of that link. Not thread-safe.
final class AtomicDirectory {
  private static final String DATA = "..data";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy_MM_dd_HH_mm_ss").withZone(ZoneOffset.UTC);

  private final Path directory;

  AtomicDirectory(Path directory) {
    this.directory = directory;
  }

  /// Makes the directory hold these files and nothing else; false if it does already.
  ///
  /// @param group that files belong to and may read; -1: root's
  boolean write(SortedMap<String, Content.File> wanted, long group) throws IOException {
    SortedMap<String, Content.File> files = group < 0 ? wanted : readableByGroup(wanted);
    Path data = directory.resolve(DATA);
    Path before =
        Files.isSymbolicLink(data) ? directory.resolve(Files.readSymbolicLink(data)) : null;
    if (before != null && read(before).equals(files)) {
      return false;
    }
    Path fresh =
        directory.resolve(
            ".."
                + TIME.format(Instant.now())
                + "."
                + ThreadLocalRandom.current().nextInt(1_000_000_000));
    Files.createDirectory(fresh);
    permit(fresh, 0755, group);
    for (Map.Entry<String, Content.File> entry : files.entrySet()) {
      Path file = fresh.resolve(entry.getKey());
      makeParents(fresh, entry.getKey(), group);
      Files.write(file, entry.getValue().bytes());
      permit(file, entry.getValue().mode(), group);
    }
    Path temp = directory.resolve(DATA + "_tmp");
    Files.deleteIfExists(temp);
    Files.createSymbolicLink(temp, fresh.getFileName());
    Files.move(temp, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    show(files);
    if (before != null) {
      Trees.delete(before);
    }
    return true;
  }

  private static SortedMap<String, Content.File> readableByGroup(
      SortedMap<String, Content.File> files) {
    SortedMap<String, Content.File> result = new TreeMap<>();
    files.forEach(
        (path, file) -> result.put(path, new Content.File(file.bytes(), file.mode() | 0440)));
    return result;
  }

  private static void makeParents(Path root, String path, long group) throws IOException {
    String[] names = path.split("/");
    Path at = root;
    for (int i = 0; i < names.length - 1; i++) {
      at = at.resolve(names[i]);
      if (!Files.isDirectory(at)) {
        Files.createDirectory(at);
        permit(at, 0755, group);
      }
    }
  }

  /// Links for the first part of each path; those of paths that are gone go.
  private void show(SortedMap<String, Content.File> files) throws IOException {
    Set<String> names = new HashSet<>();
    for (String path : files.keySet()) {
      names.add(path.split("/", 2)[0]);
    }
    for (String name : names) {
      Path link = directory.resolve(name);
      if (!Files.isSymbolicLink(link)) {
        Files.createSymbolicLink(link, Path.of(DATA, name));
      }
    }
    try (Stream<Path> present = Files.list(directory)) {
      for (Path path : present.toList()) {
        String name = path.getFileName().toString();
        if (!name.startsWith("..") && !names.contains(name)) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  private static SortedMap<String, Content.File> read(Path root) throws IOException {
    SortedMap<String, Content.File> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.toList()) {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          int mode = ((Number) Files.getAttribute(path, "unix:mode")).intValue() & 07777;
          files.put(
              root.relativize(path).toString(), new Content.File(Files.readAllBytes(path), mode));
        }
      }
    } catch (NoSuchFileException e) {
      return new TreeMap<>();
    }
    return files;
  }

  static void permit(Path path, int mode, long group) throws IOException {
    if (group >= 0) {
      Files.setAttribute(path, "unix:gid", (int) group, LinkOption.NOFOLLOW_LINKS);
    }
    Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = PosixFilePermission.values();
    for (int bit = 0; bit < all.length; bit++) {
      if ((mode & (0400 >> bit)) != 0) {
        permissions.add(all[bit]);
      }
    }
    Files.setPosixFilePermissions(path, permissions);
  }
}
