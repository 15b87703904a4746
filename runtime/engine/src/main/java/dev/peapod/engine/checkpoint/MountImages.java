package dev.peapod.engine.checkpoint;

import dev.peapod.engine.container.Restoration.Mounted;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Checks what criu's images say of mounts (`mnt_entry` of its `mnt.proto`), since criu mounts whatever they say: a container
/// gets what the request makes, and procfs, and nothing else.
final class MountImages {
  private static final int COMMON_MAGIC = 0x54564319;
  private static final int MAGIC = 0x55563928;
  private static final int MAX_SIZE = 4 << 20;
  private static final long PROC = 1;
  private static final long RDONLY = 1;
  private static final long CLOSED = 2 | 4 | 8;

  // Fields of an entry.
  private static final int TYPE = 1;
  private static final int FLAGS = 5;
  private static final int ROOT = 6;
  private static final int MOUNT_POINT = 7;
  private static final int SHARED = 10;
  private static final int MASTER = 11;
  private static final int EXTERNAL = 18;
  private static final Set<Integer> KNOWN = Set.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 18);

  private record Entry(long type, long flags, String root, String path, String external) {}

  private MountImages() {}

  /// @param mounts what the request makes, by its place
  /// @param readonly what of procfs has to be read-only
  /// @throws PeapodException FAILED_PRECONDITION naming what does not fit, INVALID if that is no image
  static void check(
      Path images, Map<String, Mounted> mounts, List<String> readonly, boolean readonlyRoot)
      throws IOException {
    Set<String> missing = new HashSet<>(readonly);
    missing.add("/");
    missing.addAll(mounts.keySet());
    Set<String> seen = new HashSet<>();
    for (Entry entry : read(only(images))) {
      String path = entry.path;
      Mounted mounted = mounts.get(path);
      boolean proc = path.equals("/proc") || path.startsWith("/proc/");
      long needed;
      if (path.equals("/")) {
        needed = readonlyRoot ? RDONLY : 0;
      } else if (mounted != null) {
        require(entry.external.equals(path), path, "it is not external");
        needed = mounted.attributes() & (RDONLY | CLOSED);
      } else {
        require(proc, path, "the request has none there");
        require(
            entry.type == PROC && entry.external.isEmpty() && path.equals("/proc" + (entry.root.equals("/") ? "" : entry.root)),
            path,
            "it is not what procfs has there");
        needed = CLOSED | (readonly.contains(path) ? RDONLY : 0);
      }
      require((entry.flags & needed) == needed, path, "it lacks options that it must have");
      require(seen.add(path), path, "there are two");
      missing.remove(path);
    }
    for (String path : missing) {
      require(false, path, "the checkpoint has none");
    }
  }

  private static void require(boolean fits, String path, String why) {
    if (!fits) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "the mount at \"" + path.replaceAll("\\p{Cntrl}", "?") + "\" does not fit the request: " + why);
    }
  }

  private static Path only(Path images) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(images, "mountpoints-*.img")) {
      files.forEach(found::add);
    }
    if (found.size() != 1) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "the checkpoint has " + found.size() + " mount namespaces, where a container has one");
    }
    return found.getFirst();
  }

  private static List<Entry> read(Path file) throws IOException {
    if (Files.size(file) > MAX_SIZE) {
      throw damaged();
    }
    ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      if (all.getInt() != COMMON_MAGIC || all.getInt() != MAGIC) {
        throw damaged();
      }
      List<Entry> entries = new ArrayList<>();
      while (all.hasRemaining()) {
        int size = all.getInt();
        if (size < 0 || size > all.remaining()) {
          throw damaged();
        }
        entries.add(entry(all.slice(all.position(), size)));
        all.position(all.position() + size);
      }
      return entries;
    } catch (BufferUnderflowException e) {
      throw damaged();
    }
  }

  /// A message of protocol buffers: as criu's reader, the last of several values counts.
  private static Entry entry(ByteBuffer in) {
    long type = -1;
    long flags = 0;
    String root = "";
    String path = "";
    String external = "";
    while (in.hasRemaining()) {
      long tag = varint(in);
      int field = (int) (tag >>> 3);
      if (tag >>> 3 != field || !KNOWN.contains(field)) {
        throw damaged();
      }
      if ((tag & 7) == 0) {
        long number = varint(in);
        switch (field) {
          case TYPE -> type = number & 0xffffffffL;
          case FLAGS -> flags = number & 0xffffffffL;
          case SHARED, MASTER -> {
            if (number != 0) {
              throw new PeapodException(
                  Kind.FAILED_PRECONDITION, "the checkpoint has mounts that others share");
            }
          }
          default -> {}
        }
      } else if ((tag & 7) == 2) {
        String text = text(in);
        switch (field) {
          case ROOT -> root = text;
          case MOUNT_POINT -> path = text;
          case EXTERNAL -> external = text;
          default -> {}
        }
      } else {
        throw damaged();
      }
    }
    return new Entry(type, flags, root, path, external);
  }

  private static String text(ByteBuffer in) {
    long length = varint(in);
    if (length < 0 || length > in.remaining()) {
      throw damaged();
    }
    byte[] bytes = new byte[(int) length];
    in.get(bytes);
    for (byte b : bytes) {
      // For criu the text would end here.
      if (b == 0) {
        throw damaged();
      }
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = in.get();
      value |= (b & 0x7fL) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw damaged();
  }

  private static PeapodException damaged() {
    return PeapodException.invalid("the checkpoint's image of mounts is damaged");
  }
}
