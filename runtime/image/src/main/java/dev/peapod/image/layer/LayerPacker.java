package dev.peapod.image.layer;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.FileAttributes;
import dev.peapod.linux.FileStat;
import dev.peapod.linux.Open;
import dev.peapod.linux.TreeReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// Packs the writable directory of an overlay as a layer of an image, which [LayerUnpacker] unpacks: devices 0:0 become
/// whiteouts, an xattr the marker of opaque directories. Sockets are left out.
public final class LayerPacker {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final String OVERLAY = "trusted.overlay.";

  /// Those that say no more than how the overlay names its files.
  private static final Set<String> NAMING =
      Set.of("opaque", "origin", "impure", "nlink", "uuid", "upper");

  private final TarWriter tar;
  private final Map<Long, String> names = new HashMap<>();

  private LayerPacker(TarWriter tar) {
    this.tar = tar;
  }

  /// Adds all that is in the directory to the archive.
  ///
  /// @throws PeapodException FAILED_PRECONDITION naming the file if there is one that a layer can not hold
  public static void pack(Path upper, TarWriter tar) throws IOException {
    TreeReader.read(upper, new LayerPacker(tar)::add);
  }

  private void add(TreeReader.Found found) throws IOException {
    String path = found.path();
    String base = path.substring(path.lastIndexOf('/') + 1);
    if (base.startsWith(WHITEOUT)) {
      throw refuse(path, "its name begins with " + WHITEOUT);
    }
    FileStat stat = found.stat();
    int sort = stat.mode() & Open.S_IFMT;
    if (sort == Open.S_IFCHR && stat.special() == 0) {
      tar.add(marker(path.substring(0, path.length() - base.length()) + WHITEOUT + base));
      return;
    }
    FileAttributes attributes = kept(path, found.attributes());
    if (sort != Open.S_IFDIR && stat.links() > 1) {
      String first = names.putIfAbsent(stat.inode(), path);
      if (first != null) {
        tar.add(new TarEntry(path, '1', first, 0, 0, 0, attributes));
        return;
      }
    }
    switch (sort) {
      case Open.S_IFDIR -> directory(found, attributes);
      case Open.S_IFREG ->
          tar.add(
              new TarEntry(path, '0', "", stat.size(), 0, 0, attributes),
              FdIo.input(found.content().orElseThrow()));
      case Open.S_IFLNK -> tar.add(new TarEntry(path, '2', found.target(), 0, 0, 0, attributes));
      case Open.S_IFCHR -> node(path, '3', stat, attributes);
      case Open.S_IFBLK -> node(path, '4', stat, attributes);
      case Open.S_IFIFO -> node(path, '6', stat, attributes);
      default -> {}
    }
  }

  private void directory(TreeReader.Found found, FileAttributes attributes) throws IOException {
    String prefix = found.path().isEmpty() ? "" : found.path() + "/";
    tar.add(new TarEntry(prefix.isEmpty() ? "./" : prefix, '5', "", 0, 0, 0, attributes));
    byte[] opaque = found.attributes().xattrs().get(OVERLAY + "opaque");
    if (opaque != null && new String(opaque, StandardCharsets.ISO_8859_1).equals("y")) {
      tar.add(marker(prefix + OPAQUE));
    }
  }

  private void node(String path, char type, FileStat stat, FileAttributes attributes)
      throws IOException {
    int major = (int) (stat.special() >> 8 & 0xfff | stat.special() >> 32 & 0xfffff000L);
    int minor = (int) (stat.special() & 0xff | stat.special() >> 12 & 0xffffff00L);
    tar.add(new TarEntry(path, type, "", 0, major, minor, attributes));
  }

  private static TarEntry marker(String path) {
    return new TarEntry(path, '0', "", 0, 0, 0, new FileAttributes(0, 0, 0, 0, 0, Map.of()));
  }

  private static FileAttributes kept(String path, FileAttributes from) {
    if (from.xattrs().isEmpty()) {
      return from;
    }
    for (String name : from.xattrs().keySet()) {
      if (name.startsWith(OVERLAY) && !NAMING.contains(name.substring(OVERLAY.length()))) {
        throw refuse(path, "the overlay keeps a part of it elsewhere (" + name + ")");
      }
    }
    Map<String, byte[]> xattrs = new HashMap<>(from.xattrs());
    xattrs.keySet().removeIf(name -> !LayerUnpacker.isOfTheFile(name));
    return new FileAttributes(
        from.mode(), from.uid(), from.gid(), from.mtimeSeconds(), from.mtimeNanos(), xattrs);
  }

  private static PeapodException refuse(String path, String why) {
    return new PeapodException(
        Kind.FAILED_PRECONDITION,
        "the file \"" + LayerUnpacker.shown(path) + "\" can not be saved: " + why);
  }
}
