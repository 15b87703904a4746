package dev.peapod.linux;

import dev.peapod.error.PeapodException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A directory as the root of paths that nobody trusts.
///
/// Every path is resolved as if the directory were the root (openat2(2), `RESOLVE_IN_ROOT`):
/// absolute paths, `..` and symbolic links on the way stay inside, and no link of procfs is
/// followed. Only [#open(String, int)], [#openDirectory(String)] and [#readRegular(String, int)]
/// follow a link in the last component too (inside, again); everything else acts on the name itself.
/// Thread-safe. Errors are [KernelException]s with the errno of the call.
public final class Directory implements AutoCloseable {
  /// A name in a directory.
  ///
  /// @param name as UTF-8; a name that is not is shown with replacement characters
  /// @param type one of the `S_IF...` values of [Open], 0 if the filesystem does not say
  public record Entry(String name, int type) {}

  private static final long IN_ROOT =
      FileCalls.RESOLVE_IN_ROOT | FileCalls.RESOLVE_NO_MAGICLINKS;

  private final Fd fd;

  private Directory(Fd fd) {
    this.fd = fd;
  }

  /// Opens a directory by a trusted name, following links.
  public static Directory open(Path path) {
    return new Directory(Fd.open(path.toString(), Open.RDONLY | Open.DIRECTORY));
  }

  /// Takes ownership of a descriptor that is open on a directory (for [#list(String)] of it and
  /// [#sync()]: for reading, not with [Open#PATH]).
  public static Directory of(Fd fd) {
    return new Directory(fd);
  }

  /// The directory's descriptor, still owned by this object.
  public Fd fd() {
    return fd;
  }

  /// Opens what is at `path`; links are followed inside. O_CLOEXEC is added. With [Open#CREAT] the
  /// mode is 0600.
  ///
  /// Opening a device or FIFO of an untrusted tree acts on it: say [Open#PATH] or [Open#NOFOLLOW]
  /// with [Open#NONBLOCK], or look at it first.
  public Fd open(String path, int flags) {
    return open(path, flags, (flags & Open.CREAT) == 0 ? 0 : 0600, IN_ROOT);
  }

  /// Opens the directory at `path` as a root of its own.
  public Directory openDirectory(String path) {
    return new Directory(open(path, Open.RDONLY | Open.DIRECTORY));
  }

  private Fd open(String path, int flags, int mode, long resolve) {
    return new Fd(openat2(fd.number(), LibC.path(path), flags, mode, resolve, path));
  }

  static int openat2(int root, byte[] path, int flags, int mode, long resolve, String name) {
    byte[] how = new byte[24];
    ByteBuffer.wrap(how)
        .order(ByteOrder.nativeOrder())
        .putLong(flags | Open.CLOEXEC)
        .putLong(mode)
        .putLong(resolve);
    for (int attempt = 0; ; attempt++) {
      long n = LibC.syscall(FileCalls.SYS_OPENAT2, root, path, how, how.length);
      if (n >= 0) {
        return (int) n;
      }
      int errno = LibC.errno();
      // EAGAIN: a rename elsewhere made the kernel unsure whether a ".." stayed inside.
      if (errno != Errno.EINTR && (errno != Errno.EAGAIN || attempt == 1000)) {
        throw new KernelException("openat2(\"" + name + "\")", errno);
      }
    }
  }

  /// Makes a regular file, which must not exist, and opens it for writing. The umask counts: set
  /// the exact mode with [Attributes#chmod(Fd, int)].
  public Fd create(String path, int mode) {
    int flags = Open.WRONLY | Open.CREAT | Open.EXCL | Open.NOFOLLOW | Open.CLOEXEC;
    try (Place p = place(path)) {
      int n = LibC.openat(p.directory, p.name, flags, mode);
      if (n < 0) {
        throw failed(LibC.errno(), "openat", path, "O_CREAT|O_EXCL");
      }
      return new Fd(n);
    }
  }

  /// The contents of the regular file at `path`; links are followed inside. Nothing else than a
  /// regular file is ever opened.
  ///
  /// @throws PeapodException INVALID if it is no regular file or longer than `max` bytes
  /// @throws KernelException ENOENT if there is none
  public byte[] readRegular(String path, int max) {
    try (Fd found = open(path, Open.PATH)) {
      FileStat stat = FileStat.of(found);
      if (!stat.isRegular()) {
        throw PeapodException.invalid("\"" + path + "\" is not a regular file");
      }
      try (Fd file = Fd.open("/proc/self/fd/" + found.number(), Open.RDONLY)) {
        return FdIo.readAll(file, max);
      } catch (KernelException e) {
        if (e.errno() == Errno.EFBIG) {
          throw PeapodException.invalid("\"" + path + "\" is longer than " + max + " bytes");
        }
        throw e;
      }
    }
  }

  /// Makes a directory; the umask counts.
  public void mkdir(String path, int mode) {
    try (Place p = place(path)) {
      if (FileCalls.mkdirat(p.directory, p.name, mode) < 0) {
        throw failed(LibC.errno(), "mkdirat", path, Integer.toOctalString(mode));
      }
    }
  }

  /// Makes a directory and those above it that are missing; what exists is left as it is.
  public void mkdirs(String path, int mode) {
    String trimmed = trim(path);
    if (trimmed.isEmpty()) {
      return;
    }
    try (Fd existing = open(trimmed, Open.PATH | Open.DIRECTORY)) {
      return;
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
    int slash = trimmed.lastIndexOf('/');
    if (slash > 0) {
      mkdirs(trimmed.substring(0, slash), mode);
    }
    try {
      mkdir(trimmed, mode);
    } catch (KernelException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
      open(trimmed, Open.PATH | Open.DIRECTORY).close();
    }
  }

  /// Makes a device node, FIFO or socket; the umask counts.
  ///
  /// @param mode one of the `S_IF...` values of [Open] and permissions
  /// @param device from [FileStat#device(int, int)], 0 where there is none
  public void mknod(String path, int mode, long device) {
    try (Place p = place(path)) {
      if (FileCalls.mknodat(p.directory, p.name, mode, device) < 0) {
        throw failed(LibC.errno(), "mknodat", path, Integer.toOctalString(mode));
      }
    }
  }

  /// Makes a symbolic link with any target.
  public void symlink(String target, String path) {
    try (Place p = place(path)) {
      byte[] cTarget = LibC.path(target);
      if (FileCalls.symlinkat(cTarget, p.directory, p.name) < 0) {
        throw failed(LibC.errno(), "symlinkat", path, "\"" + target + "\"");
      }
    }
  }

  /// Gives the file `existing` another name; a link is named itself, not followed.
  public void link(String existing, String path) {
    try (Place from = place(existing);
        Place to = place(path)) {
      if (FileCalls.linkat(from.directory, from.name, to.directory, to.name, 0) < 0) {
        throw failed(LibC.errno(), "linkat", path, "\"" + existing + "\"");
      }
    }
  }

  /// Renames, replacing what is at `to`.
  public void rename(String from, String to) {
    try (Place a = place(from);
        Place b = place(to)) {
      if (FileCalls.renameat(a.directory, a.name, b.directory, b.name) < 0) {
        throw failed(LibC.errno(), "renameat", from, "\"" + to + "\"");
      }
    }
  }

  /// Sets owner and group (fchownat(2), not following).
  ///
  /// @param uid 0 to 2^32-2
  /// @param gid 0 to 2^32-2
  public void chown(String path, long uid, long gid) {
    int u = Attributes.id(uid);
    int g = Attributes.id(gid);
    try (Place p = place(path)) {
      if (FileCalls.fchownat(p.directory, p.name, u, g, FileCalls.AT_SYMLINK_NOFOLLOW) < 0) {
        throw failed(LibC.errno(), "fchownat", path, uid + ", " + gid);
      }
    }
  }

  /// Sets the mode, exactly.
  ///
  /// @throws KernelException ELOOP for a symbolic link, which has none
  public void chmod(String path, int mode) {
    try (Place p = place(path)) {
      int flags = Open.PATH | Open.NOFOLLOW | Open.CLOEXEC;
      int n = LibC.openat(p.directory, p.name, flags, 0);
      if (n < 0) {
        throw failed(LibC.errno(), "openat", path, "O_PATH");
      }
      try (Fd file = new Fd(n)) {
        if (FileStat.of(file).isLink()) {
          throw failed(Errno.ELOOP, "chmod", path, Integer.toOctalString(mode));
        }
        byte[] self = LibC.path("/proc/self/fd/" + n);
        if (FileCalls.chmod(self, mode) < 0) {
          throw failed(LibC.errno(), "chmod", path, Integer.toOctalString(mode));
        }
      }
    }
  }

  /// Sets when it was last read and changed (utimensat(2), not following).
  public void setTimes(String path, Instant accessed, Instant modified) {
    byte[] times = Attributes.times(accessed, modified);
    try (Place p = place(path)) {
      if (FileCalls.utimensat(p.directory, p.name, times, FileCalls.AT_SYMLINK_NOFOLLOW) < 0) {
        throw failed(LibC.errno(), "utimensat", path, modified.toString());
      }
    }
  }

  /// Sets an extended attribute, made or replaced (not following).
  public void setXattr(String path, String name, byte[] value) {
    try (Place p = place(path)) {
      byte[] cName = LibC.path(name);
      if (FileCalls.lsetxattr(p.throughProc(), cName, value, value.length, 0) < 0) {
        throw failed(LibC.errno(), "lsetxattr", path, name);
      }
    }
  }

  /// An extended attribute's value, if it is there (not following).
  public Optional<byte[]> getXattr(String path, String name) {
    try (Place p = place(path)) {
      byte[] cName = LibC.path(name);
      byte[] value = new byte[65536];
      long n = FileCalls.lgetxattr(p.throughProc(), cName, value, value.length);
      if (n < 0) {
        int errno = LibC.errno();
        if (errno == Errno.ENODATA) {
          return Optional.empty();
        }
        throw failed(errno, "lgetxattr", path, name);
      }
      return Optional.of(Arrays.copyOf(value, (int) n));
    }
  }

  /// The names of the extended attributes (not following).
  public List<String> listXattrs(String path) {
    try (Place p = place(path)) {
      byte[] names = new byte[65536];
      long n = FileCalls.llistxattr(p.throughProc(), names, names.length);
      if (n < 0) {
        throw failed(LibC.errno(), "llistxattr", path, "");
      }
      List<String> all = new ArrayList<>();
      for (String name : new String(names, 0, (int) n, StandardCharsets.UTF_8).split("\0")) {
        if (!name.isEmpty()) {
          all.add(name);
        }
      }
      return all;
    }
  }

  /// What is at `path`, if anything is (not following). An empty path or `.` is the directory.
  public Optional<FileStat> stat(String path) {
    if (trim(path).isEmpty() || trim(path).equals(".")) {
      return Optional.of(FileStat.of(fd));
    }
    try (Place p = place(path)) {
      return Optional.of(
          FileStat.at(p.directory, p.name, FileCalls.AT_SYMLINK_NOFOLLOW, "\"" + path + "\""));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// The target of a symbolic link.
  public String readLink(String path) {
    try (Place p = place(path)) {
      byte[] target = new byte[4096];
      long n = FileCalls.readlinkat(p.directory, p.name, target, target.length);
      if (n < 0) {
        throw failed(LibC.errno(), "readlinkat", path, "");
      }
      return new String(target, 0, (int) n, StandardCharsets.UTF_8);
    }
  }

  /// The entries of the directory at `path` in the order of the filesystem, `.` and `..` left out;
  /// an empty path is this directory. Links are followed inside.
  public List<Entry> list(String path) {
    try (Fd directory =
        open(trim(path).isEmpty() ? "." : path, Open.RDONLY | Open.DIRECTORY)) {
      List<Entry> all = new ArrayList<>();
      for (RawEntry e : new Entries(directory)) {
        all.add(new Entry(e.text(), e.type()));
      }
      return all;
    }
  }

  /// Removes a name that is not a directory's.
  ///
  /// @throws KernelException ENOENT if it is not there, EISDIR for a directory
  public void unlink(String path) {
    try (Place p = place(path)) {
      if (FileCalls.unlinkat(p.directory, p.name, 0) < 0) {
        throw failed(LibC.errno(), "unlinkat", path, "");
      }
    }
  }

  /// Removes an empty directory.
  public void rmdir(String path) {
    try (Place p = place(path)) {
      if (FileCalls.unlinkat(p.directory, p.name, FileCalls.AT_REMOVEDIR) < 0) {
        throw failed(LibC.errno(), "unlinkat", path, "AT_REMOVEDIR");
      }
    }
  }

  /// Removes what is at `path` with all that is below it; what is gone already is fine. No link is
  /// followed, and nothing that is mounted in there is entered.
  ///
  /// @throws KernelException EXDEV or EBUSY at a mount point
  public void removeTree(String path) {
    Place place;
    try {
      place = place(path);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
        return;
      }
      throw e;
    }
    try (place) {
      Trees.remove(place.directory, place.name, path);
    }
  }

  /// Removes all that is in the directory at `path`, as [#removeTree(String)] does, and leaves the
  /// directory itself.
  public void clear(String path) {
    try (Fd directory =
        open(trim(path).isEmpty() ? "." : path, Open.RDONLY | Open.DIRECTORY)) {
      Trees.clear(directory, path);
    }
  }

  /// fsync(2) of the directory itself: its names last.
  public void sync() {
    LibC.check(FileCalls.fsync(fd.number()), "fsync()");
  }

  /// syncfs(2): everything in its filesystem lasts.
  public void syncFilesystem() {
    LibC.check(FileCalls.syncfs(fd.number()), "syncfs()");
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return "directory " + fd;
  }

  private KernelException failed(int errno, String call, String path, String argument) {
    String more = argument.isEmpty() ? "" : ", " + argument;
    return new KernelException(call + "(\"" + path + "\"" + more + ")", errno);
  }

  /// `path` without slashes at its start and end.
  private static String trim(String path) {
    int from = 0;
    int to = path.length();
    while (from < to && path.charAt(from) == '/') {
      from++;
    }
    while (to > from && path.charAt(to - 1) == '/') {
      to--;
    }
    return path.substring(from, to);
  }

  private Place place(String path) {
    String trimmed = trim(path);
    int slash = trimmed.lastIndexOf('/');
    String name = trimmed.substring(slash + 1);
    if (name.isEmpty() || name.equals(".") || name.equals("..")) {
      throw new KernelException("path \"" + path + "\" names no entry", Errno.EINVAL);
    }
    byte[] cName = LibC.path(name);
    if (slash < 0) {
      return new Place(fd.number(), cName, false);
    }
    String above = trimmed.substring(0, slash);
    int flags = Open.PATH | Open.DIRECTORY;
    return new Place(
        openat2(fd.number(), LibC.path(above), flags, 0, IN_ROOT, above), cName, true);
  }

  /// A resolved directory and a name in it.
  private record Place(int directory, byte[] name, boolean owned) implements AutoCloseable {
    /// The name as a path whose last component is the only one that could be a link.
    byte[] throughProc() {
      byte[] start = ("/proc/self/fd/" + directory + "/").getBytes(StandardCharsets.UTF_8);
      byte[] path = Arrays.copyOf(start, start.length + name.length);
      System.arraycopy(name, 0, path, start.length, name.length);
      return path;
    }

    @Override
    public void close() {
      if (owned) {
        LibC.close(directory);
      }
    }
  }
}
