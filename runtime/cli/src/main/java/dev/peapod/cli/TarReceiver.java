package dev.peapod.cli;

import dev.peapod.linux.Directory;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.FileStat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/// Unpacks an archive that a container has sent, and trusts nothing of it: everything goes below one
/// name in one directory, no link is ever followed on the way, whether it came along or was there,
/// and links that lead out are left out. Files belong to whoever runs this; no device, FIFO or
/// setuid bit is made.
final class TarReceiver {
  private final Directory root;
  private final String sent;
  private final String name;

  /// @param sent the first component of all names in the archive
  /// @param name what takes its place below `root`
  TarReceiver(Directory root, String sent, String name) {
    this.root = root;
    this.sent = sent;
    this.name = name;
  }

  /// @return how many entries there were
  /// @throws Failure if the archive names something outside of what was asked for
  int receive(InputStream from) throws IOException {
    TarArchiveInputStream tar = new TarArchiveInputStream(from, "UTF-8");
    int count = 0;
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      count++;
      String path = place(entry.getName());
      if (entry.isDirectory()) {
        directory(path);
      } else if (entry.isSymbolicLink()) {
        symlink(entry, path);
      } else if (entry.isLink()) {
        String existing = place(entry.getLinkName());
        parents(existing);
        makeWay(path);
        root.link(existing, path);
      } else if (entry.isFile() && !entry.isSparse()) {
        file(tar, entry, path);
      } else {
        Main.complain("left out " + entry.getName() + ": it is no file, directory or link");
      }
    }
    return count;
  }

  /// Where an entry goes.
  private String place(String entry) {
    List<String> parts =
        Arrays.stream(entry.split("/")).filter(p -> !p.isEmpty() && !p.equals(".")).toList();
    boolean whole = sent.equals(".");
    if (entry.startsWith("/")
        || parts.contains("..")
        || entry.indexOf('\0') >= 0
        || (!whole && (parts.isEmpty() || !parts.getFirst().equals(sent)))) {
      throw new Failure("the container sent \"" + Texts.clean(entry) + "\", which was not asked for");
    }
    List<String> below = whole ? parts : parts.subList(1, parts.size());
    return below.isEmpty() ? name : name + "/" + String.join("/", below);
  }

  /// Makes the directories above a path; each must be one, and not a link to one.
  private void parents(String path) {
    for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      directory(path.substring(0, slash));
    }
  }

  private void directory(String path) {
    if (path.indexOf('/') >= 0) {
      parents(path);
    }
    Optional<FileStat> there = root.stat(path);
    if (there.isEmpty()) {
      root.mkdir(path, 0777);
    } else if (!there.get().isDirectory()) {
      throw new Failure("\"" + Texts.clean(path) + "\" is in the way: it is not a directory");
    }
  }

  /// Removes what has the name of a new file; a directory stays.
  private void makeWay(String path) {
    parents(path);
    Optional<FileStat> there = root.stat(path);
    if (there.isPresent() && there.get().isDirectory()) {
      throw new Failure("\"" + Texts.clean(path) + "\" is in the way: it is a directory");
    }
    if (there.isPresent()) {
      root.unlink(path);
    }
  }

  private void file(TarArchiveInputStream tar, TarArchiveEntry entry, String path)
      throws IOException {
    makeWay(path);
    Instant modified = entry.getLastModifiedTime().toInstant();
    try (OutputStream to = FdIo.output(root.create(path, entry.getMode() & 0777 | 0200))) {
      tar.transferTo(to);
    }
    root.chmod(path, entry.getMode() & 0777);
    root.setTimes(path, modified, modified);
  }

  private void symlink(TarArchiveEntry entry, String path) {
    String target = entry.getLinkName();
    if (leadsOut(path, target)) {
      Main.complain(
          "left out the link "
              + Texts.clean(entry.getName())
              + " -> "
              + Texts.clean(target)
              + ": it leads out");
      return;
    }
    makeWay(path);
    root.symlink(target, path);
  }

  /// Whether a link's text leads above the tree that is copied.
  private static boolean leadsOut(String path, String target) {
    if (target.isEmpty() || target.startsWith("/") || target.indexOf('\0') >= 0) {
      return true;
    }
    int depth = (int) path.chars().filter(c -> c == '/').count();
    for (String part : target.split("/")) {
      if (part.equals("..")) {
        depth--;
      } else if (!part.isEmpty() && !part.equals(".")) {
        depth++;
      }
      if (depth < 1) {
        return true;
      }
    }
    return false;
  }
}
