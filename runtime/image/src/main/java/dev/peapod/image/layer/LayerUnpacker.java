package dev.peapod.image.layer;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Digest;
import dev.peapod.linux.Errno;
import dev.peapod.linux.FileAttributes;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.TreeWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Unpacks a layer's blob into a directory as overlayfs wants it, verifying the digests of the blob
/// and of its content on the way.
///
/// Whiteouts become devices 0:0 and opaque markers an xattr. Nothing outside the directory is
/// touched, whatever the archive says (see [TreeWriter]).
public final class LayerUnpacker {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final String WHITEOUT_META = ".wh..wh.";
  private static final int S_IFIFO = 0x1000;
  private static final int S_IFCHR = 0x2000;
  private static final int S_IFBLK = 0x6000;

  private LayerUnpacker() {}

  /// What was unpacked.
  ///
  /// @param bytes of file content
  /// @param inodes files of any kind
  /// @param unsaid directories of which the archive does not say what owner and mode they have, as
  /// byte strings
  public record Unpacked(long bytes, long inodes, List<String> unsaid) {}

  /// Unpacks a blob into an empty directory, which is garbage if this throws.
  ///
  /// @param what names the layer in errors
  /// @throws PeapodException FAILED_PRECONDITION (a digest is wrong), INVALID (the archive),
  ///     RESOURCE_EXHAUSTED (no space)
  public static Unpacked unpack(LayerBlob blob, String what, Digest diffId, Path directory)
      throws IOException {
    try (TreeWriter tree = TreeWriter.open(directory)) {
      MessageDigest computation = diffId.start();
      try (InputStream tar = new DigestInputStream(Decompression.open(blob), computation)) {
        readAll(tree, tar, blob, what);
        blob.verify();
      }
      if (!diffId.finishedBy(computation)) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION,
            what
                + ": its content does not have the digest "
                + diffId
                + " that the image's configuration says");
      }
      List<String> unsaid = tree.finish();
      return new Unpacked(tree.bytes(), tree.inodes(), unsaid);
    } catch (KernelException e) {
      throw explain(e, what);
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), prefixed(what, e), e);
    }
  }

  /// Unpacks what [LayerPacker] has packed, which nobody vouches for: devices are refused.
  ///
  /// @param directory empty
  /// @throws PeapodException as [#unpack(LayerBlob, String, Digest, Path)]
  public static void unpackFiles(InputStream archive, String what, Path directory)
      throws IOException {
    try (TreeWriter tree = TreeWriter.open(directory);
        LayerBlob blob = new LayerBlob(archive, what, Optional.empty(), -1, count -> {})) {
      TarReader reader = new TarReader(blob);
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        if (entry.type() == '3' || entry.type() == '4') {
          throw PeapodException.invalid(
              what + ": the entry \"" + shown(entry.name()) + "\" is a device");
        }
        write(tree, reader, entry);
      }
      tree.finish();
    } catch (KernelException e) {
      throw explain(e, what);
    } catch (PeapodException e) {
      throw new PeapodException(e.kind(), prefixed(what, e), e);
    }
  }

  private static void readAll(TreeWriter tree, InputStream tar, LayerBlob blob, String what)
      throws IOException {
    try {
      TarReader reader = new TarReader(tar);
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        write(tree, reader, entry);
      }
      byte[] rest = new byte[64 * 1024];
      while (tar.read(rest) >= 0) {
        // Reading is digesting.
      }
    } catch (IOException e) {
      // A blob that is not what was asked for is the better explanation of damaged data.
      blob.verify();
      throw PeapodException.invalid(what + " is damaged: " + e.getMessage());
    } catch (PeapodException e) {
      if (e.kind() == Kind.INVALID) {
        blob.verify();
      }
      throw e;
    }
  }

  private static void write(TreeWriter tree, TarReader reader, TarEntry entry) throws IOException {
    String path = clean(entry.name());
    String base = path.substring(path.lastIndexOf('/') + 1);
    if (base.startsWith(WHITEOUT)) {
      whiteout(tree, path, base);
      return;
    }
    if (path.isEmpty() && entry.type() != '5') {
      throw refuse(entry, "is the root, but no directory");
    }
    FileAttributes attributes = filtered(entry.attributes());
    switch (entry.type()) {
      case '0' -> {
        tree.beginFile(path, attributes.mode());
        reader.content(tree::write);
        tree.endFile(attributes);
      }
      case '1' -> tree.hardlink(path, clean(entry.linkName()));
      case '2' -> tree.symlink(path, entry.linkName(), attributes);
      case '3' -> tree.node(path, S_IFCHR, entry.major(), entry.minor(), attributes);
      case '4' -> tree.node(path, S_IFBLK, entry.major(), entry.minor(), attributes);
      case '5' -> tree.directory(path, attributes);
      case '6' -> tree.node(path, S_IFIFO, 0, 0, attributes);
      default -> throw refuse(entry, "has the unknown type '" + entry.type() + "'");
    }
  }

  private static void whiteout(TreeWriter tree, String path, String base) {
    String parent = path.substring(0, path.length() - base.length());
    if (base.equals(OPAQUE)) {
      tree.opaque(parent.isEmpty() ? "" : parent.substring(0, parent.length() - 1));
      return;
    }
    if (base.startsWith(WHITEOUT_META)) {
      // Left-overs of AUFS that mean nothing.
      return;
    }
    String hidden = base.substring(WHITEOUT.length());
    if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
      throw PeapodException.invalid("the entry \"" + shown(path) + "\" hides no file");
    }
    tree.whiteout(parent + hidden);
  }

  /// The path without `.`, `..`, empty parts and leading slash.
  private static String clean(String name) {
    if (isClean(name)) {
      return name;
    }
    StringBuilder path = new StringBuilder(name.length());
    for (String part : name.split("/")) {
      if (part.equals("..")) {
        if (path.isEmpty()) {
          throw PeapodException.invalid("the entry \"" + shown(name) + "\" leads out of the layer");
        }
        path.setLength(Math.max(0, path.lastIndexOf("/")));
      } else if (!part.isEmpty() && !part.equals(".")) {
        if (!path.isEmpty()) {
          path.append('/');
        }
        path.append(part);
      }
    }
    return path.toString();
  }

  private static boolean isClean(String name) {
    int length = name.length();
    int start = 0;
    for (int i = 0; i <= length; i++) {
      if (i == length || name.charAt(i) == '/') {
        int part = i - start;
        boolean dots =
            part <= 2
                && name.charAt(Math.min(start, length - 1)) == '.'
                && (part == 1 || (part == 2 && name.charAt(start + 1) == '.'));
        if (part == 0 || dots) {
          return false;
        }
        start = i + 1;
      }
    }
    return length > 0;
  }

  /// Leaves out what would change how overlayfs or the host read the layer.
  private static FileAttributes filtered(FileAttributes from) {
    if (from.xattrs().isEmpty()) {
      return from;
    }
    Map<String, byte[]> kept = new HashMap<>(from.xattrs());
    kept.keySet().removeIf(name -> !isOfTheFile(name));
    return new FileAttributes(
        from.mode(), from.uid(), from.gid(), from.mtimeSeconds(), from.mtimeNanos(), kept);
  }

  /// Whether an xattr says something of the file itself, wherever it is.
  static boolean isOfTheFile(String xattr) {
    return xattr.startsWith("user.") || xattr.equals("security.capability");
  }

  private static PeapodException explain(KernelException e, String what) {
    return switch (e.errno()) {
      case Errno.ENOSPC, Errno.EDQUOT ->
          new PeapodException(
              Kind.RESOURCE_EXHAUSTED, what + ": no space left to unpack it (" + e.call() + ")", e);
      case Errno.ENAMETOOLONG,
          Errno.ELOOP,
          Errno.ENOTDIR,
          Errno.EISDIR,
          Errno.EINVAL,
          Errno.ENOENT,
          Errno.EMLINK,
          Errno.EXDEV,
          Errno.E2BIG,
          Errno.ERANGE ->
          new PeapodException(
              Kind.INVALID, what + ": an entry can not be unpacked: " + e.getMessage(), e);
      default -> PeapodException.internal(what + " can not be unpacked: " + e.getMessage(), e);
    };
  }

  private static String prefixed(String what, PeapodException e) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith(what) ? message : what + ": " + message;
  }

  private static PeapodException refuse(TarEntry entry, String why) {
    return PeapodException.invalid("the entry \"" + shown(entry.name()) + "\" " + why);
  }

  static String shown(String bytes) {
    String text = new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    String clean = text.replaceAll("\\p{Cntrl}", "?");
    return clean.length() <= 300 ? clean : clean.substring(0, 300) + "...";
  }
}
