package dev.peapod.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/// Writes a file or a tree of this machine as a tar archive. Links are sent as links; what is
/// neither file, directory nor link is left out. Files belong to root, or to whoever unpacks them.
final class TarSender {
  private TarSender() {}

  /// @param name what the file or the tree's root is called in the archive
  static void send(Path from, String name, OutputStream to) throws IOException {
    TarArchiveOutputStream tar = new TarArchiveOutputStream(to, "UTF-8");
    // What busybox reads too.
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes)
              throws IOException {
            put(tar, path, named(path) + "/", attributes);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes)
              throws IOException {
            put(tar, path, named(path), attributes);
            return FileVisitResult.CONTINUE;
          }

          private String named(Path path) {
            String below = from.relativize(path).toString();
            return below.isEmpty() ? name : name + "/" + below;
          }
        });
    tar.finish();
    tar.flush();
  }

  private static void put(
      TarArchiveOutputStream tar, Path path, String name, BasicFileAttributes attributes)
      throws IOException {
    TarArchiveEntry entry;
    if (attributes.isSymbolicLink()) {
      entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
      entry.setLinkName(Files.readSymbolicLink(path).toString());
    } else if (attributes.isDirectory() || attributes.isRegularFile()) {
      entry = new TarArchiveEntry(name);
      entry.setMode(
          ((Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS)) & 0777);
      entry.setSize(attributes.isRegularFile() ? attributes.size() : 0);
    } else {
      Main.complain("left out " + path + ": it is no file, directory or link");
      return;
    }
    entry.setModTime(attributes.lastModifiedTime());
    tar.putArchiveEntry(entry);
    if (attributes.isRegularFile()) {
      Files.copy(path, tar);
    }
    tar.closeArchiveEntry();
  }
}
