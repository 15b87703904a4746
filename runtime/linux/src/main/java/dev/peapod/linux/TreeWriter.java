package dev.peapod.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import dev.peapod.linux.TreePlaces.Place;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Fills a directory with a tree of files and touches nothing outside of it, whatever names it is
/// given.
///
/// Names are byte strings: each character of a path is one byte, so that any name that the kernel
/// allows can be written. The last component of a path is never followed; the directories before it
/// are resolved by openat2(2) with `RESOLVE_IN_ROOT`, so that symbolic links in the tree lead to
/// places in the tree. Missing parents are made. What is in the way of a new entry is replaced, except
/// that a directory stays if the new entry is one too. Directories get their attributes in [#finish].
///
/// Made for few calls a file. Not thread-safe; nothing else may change the tree meanwhile. Methods
/// throw [KernelException].
public final class TreeWriter implements AutoCloseable {
  private static final int CHUNK = 256 * 1024;
  private static final long EARLY_WRITE_BACK = 1L << 20;
  private static final int SYNC_FILE_RANGE_WRITE = 2;
  private static final FileAttributes PLAIN = new FileAttributes(0755, 0, 0, 0, 0, Map.of());

  private final Fd root;
  private final TreePlaces places;
  private final int umask;
  private final Memory data = new Memory(CHUNK);
  private final Memory first = new Memory(TreePlaces.MAX_PATH + 1);
  private final Memory second = new Memory(TreePlaces.MAX_PATH + 1);
  private final Memory times = new Memory(32);
  private final Memory value = new Memory(1 << 16);
  private final Map<String, FileAttributes> directories = new LinkedHashMap<>();
  private final Set<String> opaque = new LinkedHashSet<>();
  private @Nullable Fd file;
  private String filePath = "";
  private long fileBytes;
  private long bytes;
  private long inodes;

  private TreeWriter(Fd root, int umask) {
    this.root = root;
    this.places = new TreePlaces(root);
    this.umask = umask;
  }

  /// Opens an existing directory to be filled.
  public static TreeWriter open(Path directory) {
    return new TreeWriter(Fd.open(directory.toString(), Open.RDONLY | Open.DIRECTORY), umask());
  }

  /// Begins a regular file; [#write] fills it and [#endFile] gives it its attributes.
  public void beginFile(String path, int mode) {
    Place place = begin(path);
    int fd = create(place, mode);
    if (fd < 0) {
      makeWay(place, "openat", path);
      fd = create(place, mode);
      check(fd, "openat", path);
    }
    file = new Fd(fd);
    filePath = path;
    fileBytes = 0;
    inodes++;
  }

  private int create(Place place, int mode) {
    int flags = Open.WRONLY | Open.CREAT | Open.EXCL | Open.NOFOLLOW | Open.CLOEXEC;
    return TreeCalls.openat(place.parent(), name(place), flags, mode & 0777);
  }

  /// Appends to the file that was begun.
  public void write(byte[] source, int offset, int length) {
    int to = open().number();
    for (int done = 0; done < length; ) {
      int part = Math.min(CHUNK, length - done);
      data.write(0, source, offset + done, part);
      for (int written = 0; written < part; ) {
        Pointer from = written == 0 ? data : data.share(written);
        long n = LibC.write(to, from, part - written);
        if (n >= 0) {
          written += (int) n;
        } else if (LibC.errno() != Errno.EINTR) {
          throw TreePlaces.failed("write", filePath);
        }
      }
      done += part;
    }
    fileBytes += length;
  }

  /// Ends the file that was begun.
  public void endFile(FileAttributes attributes) {
    try (Fd fd = open()) {
      file = null;
      boolean owned = (attributes.uid() | attributes.gid()) != 0;
      boolean special = (attributes.mode() & (umask | 07000)) != 0;
      apply(fd.number(), filePath, attributes, owned, special);
      if (fileBytes >= EARLY_WRITE_BACK) {
        // Only a hint: the disk works while the rest is unpacked.
        TreeCalls.sync_file_range(fd.number(), 0, 0, SYNC_FILE_RANGE_WRITE);
      }
    }
    bytes += fileBytes;
  }

  /// Makes a directory, or takes the one that is there; the empty path is the tree's root.
  public void directory(String path, FileAttributes attributes) {
    if (!path.isEmpty()) {
      Place place = begin(path);
      if (TreeCalls.mkdirat(place.parent(), name(place), 0700) < 0) {
        FileStat there = inTheWay(place, "mkdirat", path);
        if (!there.isDirectory()) {
          remove(place, there, path);
          check(TreeCalls.mkdirat(place.parent(), name(place), 0700), "mkdirat", path);
          if ((there.mode() & Open.S_IFMT) == Open.S_IFCHR && there.special() == 0) {
            // It was a whiteout, and goes on hiding what is below.
            opaque.add(path);
          }
          inodes++;
        }
      } else {
        inodes++;
      }
    }
    directories.remove(path);
    directories.put(path, attributes);
  }

  /// Makes a symbolic link.
  public void symlink(String path, String target, FileAttributes attributes) {
    Place place = begin(path);
    Pointer to = TreePlaces.text(second, target);
    if (TreeCalls.symlinkat(to, place.parent(), name(place)) < 0) {
      makeWay(place, "symlinkat", path);
      check(TreeCalls.symlinkat(to, place.parent(), name(place)), "symlinkat", path);
    }
    places.changed();
    inodes++;
    finishNode(place, path, attributes, false);
  }

  /// Makes a device node or FIFO.
  ///
  /// @param type of st_mode, such as 020000 for a character device
  public void node(String path, int type, int major, int minor, FileAttributes attributes) {
    Place place = begin(path);
    long device = FileStat.device(major, minor);
    if (TreeCalls.mknodat(place.parent(), name(place), type | 0600, device) < 0) {
      makeWay(place, "mknodat", path);
      check(TreeCalls.mknodat(place.parent(), name(place), type | 0600, device), "mknodat", path);
    }
    inodes++;
    finishNode(place, path, attributes, true);
  }

  /// Makes another name for a file that is in the tree already.
  public void hardlink(String path, String target) {
    Place place = begin(path);
    Place from = places.place(target);
    String call = "linkat(\"" + TreePlaces.shown(target) + "\")";
    if (link(from, place) < 0) {
      FileStat there = inTheWay(place, call, path);
      if (there.inode() == stat(from, target).inode()) {
        return;
      }
      remove(place, there, path);
      check(link(from, place), call, path);
    }
  }

  private int link(Place from, Place to) {
    Pointer source = TreePlaces.text(second, from.name());
    return TreeCalls.linkat(from.parent(), source, to.parent(), name(to), 0);
  }

  /// Makes an overlay whiteout, which hides what lower layers have by this name. A directory that
  /// is there already is made opaque instead, and any other file is left: both hide it too.
  public void whiteout(String path) {
    Place place = begin(path);
    if (TreeCalls.mknodat(place.parent(), name(place), Open.S_IFCHR, 0) == 0) {
      inodes++;
    } else if (inTheWay(place, "mknodat", path).isDirectory()) {
      opaque.add(path);
    }
  }

  /// Makes a directory hide all that lower layers have in it; makes the directory if it is missing.
  public void opaque(String path) {
    places.begin();
    if (!path.isEmpty()) {
      places.directory(path);
    }
    opaque.add(path);
  }

  /// Gives the directories their attributes. Nothing may be added afterwards.
  ///
  /// @return the directories that nothing was said about: root:root, 0755; the empty path is the
  /// root
  public List<String> finish() {
    List<String> unsaid = new ArrayList<>(places.made());
    unsaid.addFirst("");
    unsaid.removeIf(directories::containsKey);
    inodes += unsaid.size();
    unsaid.forEach(path -> directories.put(path, PLAIN));
    opaque.forEach(path -> directories.putIfAbsent(path, PLAIN));
    for (String path : List.copyOf(directories.keySet()).reversed()) {
      FileAttributes attributes = directories.get(path);
      int number = places.resolve(path, Open.NOFOLLOW, TreePlaces.IN_ROOT);
      // A later entry may have taken the directory's place.
      if (number >= 0 && attributes != null) {
        try (Fd fd = new Fd(number)) {
          if (opaque.contains(path)) {
            setXattr(fd.number(), "trusted.overlay.opaque", new byte[] {'y'}, path);
          }
          apply(fd.number(), path, attributes, true, true);
        }
      }
    }
    unsaid.removeIf(path -> attributes(path).isEmpty());
    return unsaid;
  }

  /// Mode and owner of a directory of the tree; empty if there is no such directory.
  public Optional<FileAttributes> attributes(String path) {
    int number = places.resolve(path, Open.PATH, TreePlaces.IN_ROOT);
    if (number < 0) {
      return Optional.empty();
    }
    try (Fd fd = new Fd(number)) {
      FileStat stat = FileStat.of(fd);
      int uid = (int) stat.uid();
      int gid = (int) stat.gid();
      return Optional.of(new FileAttributes(stat.permissions(), uid, gid, 0, 0, Map.of()));
    }
  }

  /// Gives a directory of the tree another owner and mode.
  public void adopt(String path, FileAttributes attributes) {
    int number = places.resolve(path, Open.NOFOLLOW, TreePlaces.IN_ROOT);
    check(number, "openat2", path);
    try (Fd fd = new Fd(number)) {
      check(TreeCalls.fchown(number, attributes.uid(), attributes.gid()), "fchown", path);
      check(TreeCalls.fchmod(number, attributes.mode() & 07777), "fchmod", path);
    }
  }

  /// Bytes of content written so far.
  public long bytes() {
    return bytes;
  }

  /// Files of any kind made so far.
  public long inodes() {
    return inodes;
  }

  @Override
  public void close() {
    places.close();
    Fd open = file;
    if (open != null) {
      open.close();
    }
    root.close();
    for (Memory memory : List.of(data, first, second, times, value)) {
      memory.close();
    }
  }

  private Place begin(String path) {
    places.begin();
    return places.place(path);
  }

  private Fd open() {
    Fd fd = file;
    if (fd == null) {
      throw new IllegalStateException("no file was begun");
    }
    return fd;
  }

  private Pointer name(Place place) {
    return TreePlaces.text(first, place.name());
  }

  private void apply(int fd, String path, FileAttributes a, boolean owner, boolean mode) {
    if (owner) {
      check(TreeCalls.fchown(fd, a.uid(), a.gid()), "fchown", path);
    }
    if (mode) {
      check(TreeCalls.fchmod(fd, a.mode() & 07777), "fchmod", path);
    }
    if (!a.xattrs().isEmpty()) {
      a.xattrs().forEach((name, content) -> setXattr(fd, name, content, path));
    }
    check(TreeCalls.futimens(fd, times(a)), "futimens", path);
  }

  private void finishNode(Place place, String path, FileAttributes a, boolean chmod) {
    Pointer name = name(place);
    int flags = FileCalls.AT_SYMLINK_NOFOLLOW;
    if ((a.uid() | a.gid()) != 0) {
      check(TreeCalls.fchownat(place.parent(), name, a.uid(), a.gid(), flags), "fchownat", path);
    }
    if (chmod) {
      // What was made a moment ago in a tree that nobody else changes is not a link.
      check(TreeCalls.fchmodat(place.parent(), name, a.mode() & 07777, 0), "fchmodat", path);
    }
    check(TreeCalls.utimensat(place.parent(), name, times(a), flags), "utimensat", path);
  }

  private void setXattr(int fd, String name, byte[] content, String path) {
    if (content.length > value.size()) {
      throw new KernelException("fsetxattr(\"" + TreePlaces.shown(path) + "\")", Errno.E2BIG);
    }
    value.write(0, content, 0, content.length);
    int result = TreeCalls.fsetxattr(fd, TreePlaces.text(second, name), value, content.length, 0);
    // A filesystem without the attribute's namespace can hold the file nevertheless.
    if (result < 0 && LibC.errno() != Errno.EOPNOTSUPP) {
      throw TreePlaces.failed("fsetxattr " + TreePlaces.shown(name), path);
    }
  }

  private Pointer times(FileAttributes attributes) {
    for (int at = 0; at < 32; at += 16) {
      times.setLong(at, attributes.mtimeSeconds());
      times.setLong(at + 8, attributes.mtimeNanos());
    }
    return times;
  }

  private static FileStat stat(Place place, String path) {
    byte[] name = bytes(place);
    int flags = FileCalls.AT_SYMLINK_NOFOLLOW;
    return FileStat.at(place.parent(), name, flags, "\"" + TreePlaces.shown(path) + "\"");
  }

  /// After a call failed: what is in its way. Throws if that was not the reason.
  private static FileStat inTheWay(Place place, String call, String path) {
    if (LibC.errno() != Errno.EEXIST) {
      throw TreePlaces.failed(call, path);
    }
    return stat(place, path);
  }

  private void makeWay(Place place, String call, String path) {
    remove(place, inTheWay(place, call, path), path);
  }

  private void remove(Place place, FileStat there, String path) {
    if (there.isDirectory() || there.isLink()) {
      places.changed();
    }
    Trees.remove(place.parent(), bytes(place), TreePlaces.shown(path));
  }

  private static byte[] bytes(Place place) {
    return (place.name() + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void check(long result, String call, String path) {
    if (result < 0) {
      throw TreePlaces.failed(call, path);
    }
  }

  private static int umask() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1).stream()
          .filter(line -> line.startsWith("Umask:"))
          .map(line -> Integer.parseInt(line.substring(6).strip(), 8))
          .findFirst()
          .orElse(0777);
    } catch (IOException e) {
      return 0777;
    }
  }
}
