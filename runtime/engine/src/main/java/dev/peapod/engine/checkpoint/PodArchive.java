package dev.peapod.engine.checkpoint;

import dev.peapod.error.PeapodException;
import dev.peapod.image.layer.TarEntry;
import dev.peapod.image.layer.TarReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Unpacks a pod's archive, which nobody vouches for: only files of names that are known, each in the place that it has here.
final class PodArchive {
  private static final Pattern IMAGE =
      Pattern.compile(Layout.IMAGES + "/([A-Za-z0-9][A-Za-z0-9._-]{0,127})");
  private static final Set<String> PASSED_OVER =
      Set.of(
          Layout.CONFIG, Layout.SPEC, Layout.LOG, Layout.STATISTICS, Layout.IMAGES + "/");

  private PodArchive() {}

  /// Unpacks the archives of some containers.
  ///
  /// @param wanted where the archive of each container is put, by the container's name
  /// @throws PeapodException INVALID if it is no such archive, or one of them is not in it
  static void containers(Path archive, Map<String, Path> wanted) throws IOException {
    if (!Files.isRegularFile(archive)) {
      throw PeapodException.invalid("there is no checkpoint at " + archive);
    }
    String prefix = Layout.CONTAINERS + "/";
    try (InputStream in = Files.newInputStream(archive)) {
      TarReader tar = new TarReader(in);
      for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
        String name = entry.name();
        boolean container = name.startsWith(prefix) && name.endsWith(".tar");
        if (!container && !name.equals(Layout.POD) && !name.equals(prefix)) {
          throw unknown(name);
        }
        String of = container ? name.substring(prefix.length(), name.length() - 4) : "";
        Path to = container ? wanted.get(of) : null;
        if (to != null) {
          file(tar, entry, to);
        }
      }
    }
    wanted.forEach(
        (name, to) -> {
          if (!Files.exists(to)) {
            throw PeapodException.invalid("the checkpoint has no container \"" + name + "\"");
          }
        });
  }

  /// Unpacks what is used of a container's archive.
  static void container(Path archive, Path directory) throws IOException {
    Files.createDirectory(directory.resolve(Layout.IMAGES));
    try (InputStream in = Files.newInputStream(archive)) {
      TarReader tar = new TarReader(in);
      for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
        String name = entry.name();
        if (IMAGE.matcher(name).matches() || name.equals(Layout.ROOTFS)) {
          file(tar, entry, directory.resolve(name));
        } else if (!PASSED_OVER.contains(name)) {
          throw unknown(name);
        }
      }
    }
    if (!Files.exists(directory.resolve(Layout.ROOTFS))) {
      throw PeapodException.invalid("the checkpoint has no " + Layout.ROOTFS);
    }
  }

  private static void file(TarReader tar, TarEntry entry, Path to) throws IOException {
    if (entry.type() != '0') {
      throw PeapodException.invalid("the checkpoint's \"" + entry.name() + "\" is not a file");
    }
    try (OutputStream out =
        Files.newOutputStream(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      tar.content(out::write);
    } catch (FileAlreadyExistsException e) {
      throw PeapodException.invalid("the checkpoint has \"" + entry.name() + "\" twice");
    }
  }

  private static PeapodException unknown(String name) {
    return PeapodException.invalid(
        "that is not the checkpoint of a pod: it has \"" + name.replaceAll("\\p{Cntrl}", "?") + "\"");
  }
}
