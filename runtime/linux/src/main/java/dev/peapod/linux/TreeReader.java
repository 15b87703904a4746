package dev.peapod.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads a tree of files as [TreeWriter] writes one: no link is followed and no other mount entered, whatever is in the
/// tree and whoever changes it meanwhile. What goes while it is being read is left out.
///
/// Names are byte strings: each character is one byte.
public final class TreeReader {
  /// A file of any kind.
  ///
  /// @param path from the tree's root, which itself is the empty path
  /// @param target what a symbolic link says, else empty
  /// @param content a regular file, open for reading until the visitor returns
  public record Found(
      String path, FileStat stat, FileAttributes attributes, String target, Optional<Fd> content) {}

  /// Takes the files one by one, a directory before what is in it, by their names' order.
  @FunctionalInterface
  public interface Visitor {
    void visit(Found found) throws IOException;
  }

  private static final long INSIDE =
      FileCalls.RESOLVE_NO_XDEV | FileCalls.RESOLVE_NO_SYMLINKS | FileCalls.RESOLVE_BENEATH;
  private static final int DIRECTORY = Open.RDONLY | Open.DIRECTORY | Open.NOFOLLOW;
  private static final int FILE = Open.RDONLY | Open.NOFOLLOW | Open.NONBLOCK;
  private static final int MAX_PATH = 4096;
  private static final int MAX_XATTRS = 1 << 16;

  /// Each level holds a descriptor.
  private static final int MAX_DEPTH = 500;

  private final Visitor visitor;

  private TreeReader(Visitor visitor) {
    this.visitor = visitor;
  }

  /// Visits all of a tree.
  ///
  /// @throws KernelException ENAMETOOLONG if it is deeper than 500 directories
  public static void read(Path root, Visitor visitor) throws IOException {
    try (Fd directory = Fd.open(root.toString(), DIRECTORY)) {
      new TreeReader(visitor).directory(directory, "", 0);
    }
  }

  private void directory(Fd directory, String path, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new KernelException("reading \"" + TreePlaces.shown(path) + "\"", Errno.ENAMETOOLONG);
    }
    FileStat stat = FileStat.of(directory);
    visitor.visit(
        new Found(path, stat, attributes(stat, xattrs(directory)), "", Optional.empty()));
    List<RawEntry> entries = new ArrayList<>();
    new Entries(directory).forEach(entries::add);
    entries.sort((a, b) -> Arrays.compareUnsigned(a.name(), b.name()));
    for (RawEntry entry : entries) {
      byte[] name = entry.name();
      String text = new String(name, 0, name.length - 1, StandardCharsets.ISO_8859_1);
      try {
        entry(directory, entry, path.isEmpty() ? text : path + "/" + text, depth);
      } catch (KernelException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
    }
  }

  private void entry(Fd directory, RawEntry entry, String path, int depth) throws IOException {
    int flags = FileCalls.AT_SYMLINK_NOFOLLOW;
    FileStat stat = FileStat.at(directory.number(), entry.name(), flags, entry.text());
    if (stat.isDirectory()) {
      try (Fd below = open(directory, entry, DIRECTORY)) {
        directory(below, path, depth + 1);
      }
    } else if (stat.isRegular()) {
      try (Fd file = open(directory, entry, FILE)) {
        FileStat opened = FileStat.of(file);
        if (opened.isRegular()) {
          FileAttributes attributes = attributes(opened, xattrs(file));
          visitor.visit(new Found(path, opened, attributes, "", Optional.of(file)));
        }
      }
    } else {
      String target = stat.isLink() ? target(directory, entry) : "";
      visitor.visit(new Found(path, stat, attributes(stat, Map.of()), target, Optional.empty()));
    }
  }

  private static Fd open(Fd directory, RawEntry entry, int flags) {
    int fd = Directory.openat2(directory.number(), entry.name(), flags, 0, INSIDE, entry.text());
    return new Fd(fd);
  }

  private static String target(Fd directory, RawEntry entry) {
    byte[] target = new byte[MAX_PATH];
    long length =
        LibC.check(
            FileCalls.readlinkat(directory.number(), entry.name(), target, target.length),
            "readlinkat");
    return new String(target, 0, (int) length, StandardCharsets.ISO_8859_1);
  }

  private static FileAttributes attributes(FileStat stat, Map<String, byte[]> xattrs) {
    return new FileAttributes(
        stat.permissions(),
        (int) stat.uid(),
        (int) stat.gid(),
        stat.modified().getEpochSecond(),
        stat.modified().getNano(),
        xattrs);
  }

  private static Map<String, byte[]> xattrs(Fd fd) {
    byte[] names = new byte[MAX_XATTRS];
    long length = FileCalls.flistxattr(fd.number(), names, names.length);
    if (length < 0) {
      int errno = LibC.errno();
      if (errno == Errno.EOPNOTSUPP) {
        return Map.of();
      }
      throw new KernelException("flistxattr(" + fd + ")", errno);
    }
    if (length == 0) {
      return Map.of();
    }
    Map<String, byte[]> xattrs = new HashMap<>();
    for (int at = 0, end = 0; end < length; end++) {
      if (names[end] == 0) {
        byte[] value = new byte[MAX_XATTRS];
        long size =
            FileCalls.fgetxattr(
                fd.number(), Arrays.copyOfRange(names, at, end + 1), value, value.length);
        if (size >= 0) {
          xattrs.put(
              new String(names, at, end - at, StandardCharsets.ISO_8859_1),
              Arrays.copyOf(value, (int) size));
        }
        at = end + 1;
      }
    }
    return xattrs;
  }
}
