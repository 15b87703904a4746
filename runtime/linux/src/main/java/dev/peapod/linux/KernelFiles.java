package dev.peapod.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The small files and the directories through which the kernel is told things: procfs, sysfs,
/// cgroupfs. Paths are trusted and absolute. A value is written by one write(2).
public final class KernelFiles {
  private static final ThreadLocal<byte[]> PAGES = ThreadLocal.withInitial(() -> new byte[4096]);

  private KernelFiles() {}

  /// The contents, at most `max` bytes, without blanks at the end.
  public static String read(String path, int max) {
    int fd = LibC.openat(LibC.AT_FDCWD, LibC.path(path), Open.RDONLY | Open.CLOEXEC, 0);
    if (fd < 0) {
      int errno = LibC.errno();
      throw new KernelException("open(\"" + path + "\")", errno);
    }
    try (Fd file = new Fd(fd)) {
      return new String(FdIo.readAll(file, max), StandardCharsets.UTF_8).stripTrailing();
    }
  }

  /// As [#read(String, int)], of up to a mebibyte.
  public static String read(String path) {
    return read(path, 1 << 20);
  }

  /// The contents by a single read(2), without blanks at the end: for files that answer all they have
  /// at once, and no more than a page, as those of cgroups do.
  public static String readAtOnce(String path) {
    int fd = LibC.openat(LibC.AT_FDCWD, LibC.path(path), Open.RDONLY | Open.CLOEXEC, 0);
    if (fd < 0) {
      int errno = LibC.errno();
      throw new KernelException("open(\"" + path + "\")", errno);
    }
    byte[] page = PAGES.get();
    long n = LibC.read(fd, page, page.length);
    int errno = n < 0 ? LibC.errno() : 0;
    LibC.close(fd);
    return text(path, page, n, errno);
  }

  private static String text(String path, byte[] page, long n, int errno) {
    if (n < 0) {
      throw new KernelException("read(\"" + path + "\")", errno);
    }
    int end = (int) n;
    while (end > 0 && Character.isWhitespace(page[end - 1])) {
      end--;
    }
    return new String(page, 0, end, StandardCharsets.ISO_8859_1);
  }

  /// As [#readAtOnce(String)], of a file that is open already and may have been read before.
  ///
  /// @param path what it is called in an error
  static String readAgain(Fd file, String path) {
    byte[] page = PAGES.get();
    long n = LibC.pread(file.number(), page, page.length, 0);
    return text(path, page, n, n < 0 ? LibC.errno() : 0);
  }

  /// Writes a value.
  ///
  /// @throws KernelException ENOENT if there is no such file, EINVAL if the kernel does not like
  ///     the value
  public static void write(String path, String value) {
    int fd = LibC.openat(LibC.AT_FDCWD, LibC.path(path), Open.WRONLY | Open.CLOEXEC, 0);
    if (fd < 0) {
      int errno = LibC.errno();
      throw new KernelException("open(\"" + path + "\")", errno);
    }
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    long n;
    int errno = 0;
    do {
      n = LibC.write(fd, bytes, bytes.length);
      if (n < 0) {
        errno = LibC.errno();
      }
    } while (n < 0 && errno == Errno.EINTR);
    LibC.close(fd);
    if (n < 0) {
      throw new KernelException("write(\"" + path + "\", \"" + value + "\")", errno);
    }
  }

  /// Makes a directory, 0755 less the umask: whether it was made, false if it exists.
  ///
  /// @throws KernelException ENOENT if the one above is missing
  public static boolean makeDirectory(String path) {
    if (FileCalls.mkdir(LibC.path(path), 0755) == 0) {
      return true;
    }
    int errno = LibC.errno();
    if (errno == Errno.EEXIST) {
      return false;
    }
    throw new KernelException("mkdir(\"" + path + "\")", errno);
  }

  /// Removes a directory (in cgroupfs: with the kernel's files in it): whether it is gone now,
  /// false if it is busy.
  public static boolean removeDirectory(String path) {
    if (FileCalls.rmdir(LibC.path(path)) == 0) {
      return true;
    }
    int errno = LibC.errno();
    return switch (errno) {
      case Errno.ENOENT -> true;
      case Errno.EBUSY, Errno.ENOTEMPTY -> false;
      default -> throw new KernelException("rmdir(\"" + path + "\")", errno);
    };
  }

  /// Where a symbolic link of the kernel's leads, such as those of `/proc/self/fd`.
  public static String link(String path) {
    byte[] target = new byte[4096];
    long n = FileCalls.readlinkat(LibC.AT_FDCWD, LibC.path(path), target, target.length);
    if (n < 0) {
      int errno = LibC.errno();
      throw new KernelException("readlink(\"" + path + "\")", errno);
    }
    return new String(target, 0, (int) n, StandardCharsets.UTF_8);
  }

  /// Whether there is anything at `path`.
  public static boolean exists(String path) {
    return Files.exists(Path.of(path));
  }

  /// Whether there is a directory at `path`.
  public static boolean isDirectory(String path) {
    try (Fd fd = Fd.open(path, Open.PATH | Open.DIRECTORY)) {
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
        return false;
      }
      throw e;
    }
  }

  /// The names of the directories in a directory; none if it is missing.
  public static List<String> directories(String path) {
    List<String> names = new ArrayList<>();
    try (Fd fd = Fd.open(path, Open.RDONLY | Open.DIRECTORY)) {
      for (RawEntry entry : new Entries(fd)) {
        if (entry.type() == Open.S_IFDIR) {
          names.add(entry.text());
        }
      }
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
    return names;
  }
}
