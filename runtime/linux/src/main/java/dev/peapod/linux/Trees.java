package dev.peapod.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/// Whole trees of files: removed, marked, or their space counted. None of it follows a link or crosses into
/// another mount, or needs more than a bounded number of descriptors.
public final class Trees {
  /// What a tree takes.
  ///
  /// @param bytes space on disk, files with several names once
  /// @param inodes files, directories and all else
  public record Usage(long bytes, long inodes) {}

  private static final long INSIDE =
      FileCalls.RESOLVE_NO_XDEV | FileCalls.RESOLVE_NO_SYMLINKS | FileCalls.RESOLVE_BENEATH;
  private static final int DIRECTORY = Open.RDONLY | Open.DIRECTORY | Open.NOFOLLOW;

  /// A directory deeper than this is moved up before it is removed.
  private static final int REMOVE_DEPTH = 32;

  /// What is deeper than this is not looked at.
  private static final int DEPTH = 500;
  private static final int PASSES = 100;

  private Trees() {}

  /// Counts the space of a tree while others may change it. What is on other filesystems is left
  /// out, and so is what is deeper than 500 directories.
  public static Usage usage(Path root) {
    try (Fd fd = Fd.open(root.toString(), DIRECTORY)) {
      return usage(fd);
    }
  }

  /// As [#usage(Path)], of an open directory.
  public static Usage usage(Fd directory) {
    Counter counter = new Counter();
    counter.add(FileStat.of(directory));
    counter.walk(directory, 0);
    return new Usage(counter.bytes, counter.inodes);
  }

  private static final class Counter {
    private final Set<Long> seen = new HashSet<>();
    private long bytes;
    private long inodes;

    void add(FileStat stat) {
      if (stat.links() < 2 || stat.isDirectory() || seen.add(stat.inode())) {
        bytes += stat.blocks() * 512;
        inodes++;
      }
    }

    void walk(Fd directory, int depth) {
      for (RawEntry entry : new Entries(directory)) {
        try {
          FileStat stat =
              FileStat.at(
                  directory.number(),
                  entry.name(),
                  FileCalls.AT_SYMLINK_NOFOLLOW,
                  entry.text());
          if (!stat.isDirectory()) {
            add(stat);
          } else if (depth < DEPTH) {
            try (Fd below = enter(directory.number(), entry)) {
              add(stat);
              walk(below, depth + 1);
            }
          }
        } catch (KernelException e) {
          switch (e.errno()) {
            case Errno.ENOENT, Errno.EXDEV, Errno.ENOTDIR, Errno.ELOOP -> {}
            default -> throw e;
          }
        }
      }
    }
  }

  /// Gives a file, or a directory and all that is in it, links themselves included, an extended attribute of the
  /// `security` kind. What has that value already is not touched. What is deeper than 500 directories is left out.
  ///
  /// @param top opened with Open.PATH
  static void mark(Fd top, String attribute, String value) {
    Marker marker = new Marker(LibC.path(attribute), value.getBytes(StandardCharsets.UTF_8));
    if (marker.mark(top) && FileStat.of(top).isDirectory()) {
      try (Fd directory = enter(top.number(), new RawEntry(new byte[] {'.', 0}, Open.S_IFDIR))) {
        marker.walk(directory, 1);
      }
    }
  }

  private record Marker(byte[] name, byte[] value) {
    void walk(Fd directory, int depth) {
      for (RawEntry entry : new Entries(directory)) {
        try (Fd found = look(directory, entry)) {
          mark(found);
          if (FileStat.of(found).isDirectory() && depth < DEPTH) {
            try (Fd below = enter(directory.number(), entry)) {
              walk(below, depth + 1);
            }
          }
        } catch (KernelException e) {
          switch (e.errno()) {
            // Gone or replaced meanwhile, or of another mount.
            case Errno.ENOENT, Errno.EXDEV, Errno.ENOTDIR, Errno.ELOOP -> {}
            default -> throw e;
          }
        }
      }
    }

    private static Fd look(Fd directory, RawEntry entry) {
      int flags = Open.PATH | Open.NOFOLLOW;
      return new Fd(
          Directory.openat2(directory.number(), entry.name(), flags, 0, INSIDE, entry.text()));
    }

    /// Whether its filesystem has such attributes.
    boolean mark(Fd file) {
      byte[] path = LibC.path("/proc/self/fd/" + file.number());
      byte[] present = new byte[value.length + 1];
      long n = FileCalls.getxattr(path, name, present, present.length);
      // The kernel may end a value with a NUL.
      if (n >= value.length
          && Arrays.equals(present, 0, value.length, value, 0, value.length)
          && present[value.length] == 0) {
        return true;
      }
      int set = FileCalls.setxattr(path, name, value, value.length, 0);
      int errno = LibC.errno();
      if (set < 0 && errno != Errno.EOPNOTSUPP) {
        throw new KernelException("setxattr(" + file + ")", errno);
      }
      return set == 0;
    }
  }

  private static Fd enter(int directory, RawEntry entry) {
    return new Fd(
        Directory.openat2(directory, entry.name(), DIRECTORY, 0, INSIDE, entry.text()));
  }

  /// Removes `name` of a directory with all that is below it.
  static void remove(int directory, byte[] name, String path) {
    if (FileCalls.unlinkat(directory, name, 0) == 0) {
      return;
    }
    int errno = LibC.errno();
    switch (errno) {
      case Errno.ENOENT -> {
        return;
      }
      case Errno.EISDIR, Errno.EPERM -> {}
      default -> throw failed(errno, path);
    }
    try (Fd top = enter(directory, new RawEntry(name, Open.S_IFDIR))) {
      clear(top, path);
    } catch (KernelException e) {
      switch (e.errno()) {
        case Errno.ENOENT -> {
          return;
        }
        case Errno.ENOTDIR -> throw failed(errno, path);
        default -> throw e;
      }
    }
    if (FileCalls.unlinkat(directory, name, FileCalls.AT_REMOVEDIR) < 0) {
      errno = LibC.errno();
      if (errno != Errno.ENOENT) {
        throw failed(errno, path);
      }
    }
  }

  /// Removes all that is in an open directory.
  static void clear(Fd top, String path) {
    Remover remover = new Remover(top, path);
    // Each pass moves what is deeper than 32 levels up to the top; the others are for names that
    // somebody adds meanwhile.
    long moved = 0;
    for (int pass = 0; pass < PASSES; pass = remover.moved > moved ? 0 : pass + 1) {
      moved = remover.moved;
      try (Fd again = enter(top.number(), new RawEntry(new byte[] {'.', 0}, Open.S_IFDIR))) {
        if (!remover.clear(again, 0)) {
          return;
        }
      }
    }
    throw failed(Errno.ENOTEMPTY, path);
  }

  private static final class Remover {
    private final Fd top;
    private final String path;
    private long moved;

    Remover(Fd top, String path) {
      this.top = top;
      this.path = path;
    }

    /// One pass over a directory: whether there was anything in it.
    boolean clear(Fd directory, int depth) {
      boolean any = false;
      for (RawEntry entry : new Entries(directory)) {
        any = true;
        if (entry.type() == Open.S_IFDIR || !unlink(directory, entry, 0)) {
          if (depth < REMOVE_DEPTH) {
            removeDirectory(directory, entry, depth);
          } else {
            moveUp(directory, entry);
          }
        }
      }
      return any;
    }

    private void removeDirectory(Fd directory, RawEntry entry, int depth) {
      for (int pass = 0; pass < PASSES; pass++) {
        try (Fd below = enter(directory.number(), entry)) {
          clear(below, depth + 1);
        } catch (KernelException e) {
          if (e.errno() == Errno.ENOENT) {
            return;
          }
          throw e;
        }
        if (unlink(directory, entry, FileCalls.AT_REMOVEDIR)) {
          return;
        }
      }
      throw failed(Errno.ENOTEMPTY, path + "/.../" + entry.text());
    }

    private void moveUp(Fd directory, RawEntry entry) {
      while (true) {
        byte[] name = (".removed-" + moved++ + "\0").getBytes(StandardCharsets.US_ASCII);
        int from = directory.number();
        if (FileCalls.renameat(from, entry.name(), top.number(), name) == 0) {
          return;
        }
        int errno = LibC.errno();
        switch (errno) {
          case Errno.ENOENT -> {
            return;
          }
          case Errno.EEXIST, Errno.ENOTEMPTY, Errno.ENOTDIR -> {}
          default -> throw failed(errno, path + "/.../" + entry.text());
        }
      }
    }

    /// Whether the name is gone; false if it is a directory (or one that is not empty).
    private boolean unlink(Fd directory, RawEntry entry, int flags) {
      if (FileCalls.unlinkat(directory.number(), entry.name(), flags) == 0) {
        return true;
      }
      int errno = LibC.errno();
      return switch (errno) {
        case Errno.ENOENT -> true;
        case Errno.EISDIR, Errno.ENOTEMPTY, Errno.EEXIST -> false;
        default -> throw failed(errno, path + "/.../" + entry.text());
      };
    }
  }

  private static KernelException failed(int errno, String path) {
    return new KernelException("unlinkat(\"" + path + "\")", errno);
  }
}
