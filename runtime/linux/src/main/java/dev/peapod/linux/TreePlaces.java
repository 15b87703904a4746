package dev.peapod.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import org.jspecify.annotations.Nullable;

/// Where in a tree a path leads: an open parent directory and a name in it. Parents are kept open
/// for a while, since neighbours in an archive are neighbours in the tree. Not thread-safe.
final class TreePlaces implements AutoCloseable {
  static final int MAX_PATH = 4095;
  static final long IN_ROOT = FileCalls.RESOLVE_IN_ROOT | FileCalls.RESOLVE_NO_MAGICLINKS;
  static final long WITHOUT_LINKS = IN_ROOT | FileCalls.RESOLVE_NO_SYMLINKS;

  private static final int HOW_SIZE = 24;
  private static final int MAX_LINKS = 40;
  private static final int CACHED = 100;

  /// A name in an open directory; usable until the next [#begin].
  record Place(int parent, String name) {}

  private final Fd root;
  private final Memory how = new Memory(HOW_SIZE);
  private final Memory scratch = new Memory(MAX_PATH + 1);
  private final Memory link = new Memory(MAX_PATH + 1);
  private final LinkedHashMap<String, Fd> parents = new LinkedHashMap<>(128, 0.75f, true);
  private final LinkedHashSet<String> made = new LinkedHashSet<>();
  private boolean stale;

  TreePlaces(Fd root) {
    this.root = root;
  }

  /// Starts an operation; places of the one before are void.
  void begin() {
    if (stale) {
      parents.values().forEach(Fd::close);
      parents.clear();
      stale = false;
    }
    while (parents.size() > CACHED) {
      var eldest = parents.pollFirstEntry();
      eldest.getValue().close();
    }
  }

  /// Says that a directory or link was taken away, so that paths may lead elsewhere from now on.
  void changed() {
    stale = true;
  }

  /// The directories that were made because something was to be put in them.
  Collection<String> made() {
    return made;
  }

  Place place(String path) {
    int slash = path.lastIndexOf('/');
    if (path.isEmpty() || slash == path.length() - 1) {
      throw new KernelException("create(\"" + shown(path) + "\")", Errno.EINVAL);
    }
    if (slash < 0) {
      return new Place(root.number(), path);
    }
    return new Place(directory(path.substring(0, slash)), path.substring(slash + 1));
  }

  /// An open descriptor (Open.PATH) of a directory, which is made if it is missing.
  int directory(String path) {
    Fd fd = parents.get(path);
    if (fd == null) {
      int number = resolve(path, Open.PATH, IN_ROOT);
      if (number < 0 && LibC.errno() == Errno.ENOENT) {
        number = resolve(make(path), Open.PATH, WITHOUT_LINKS);
      }
      if (number < 0) {
        throw failed("openat2", path);
      }
      fd = new Fd(number);
      parents.put(path, fd);
    }
    return fd.number();
  }

  /// Opens a directory of the tree; -1 and errno if that fails. The empty path is the root.
  int resolve(String path, int flags, long resolve) {
    how.setLong(0, flags | Open.DIRECTORY | Open.CLOEXEC);
    how.setLong(8, 0);
    how.setLong(16, resolve);
    Pointer name = text(scratch, path.isEmpty() ? "." : path);
    return (int)
        LibC.syscall(
            FileCalls.SYS_OPENAT2,
            root.number(),
            Pointer.nativeValue(name),
            Pointer.nativeValue(how),
            HOW_SIZE,
            0,
            0);
  }

  /// Walks a path as the kernel would with the tree's root as `/`, makes what is missing, and
  /// answers the path without links.
  private String make(String path) {
    Deque<String> todo = new ArrayDeque<>(Arrays.asList(path.split("/")));
    Deque<String> done = new ArrayDeque<>();
    int links = 0;
    while (!todo.isEmpty()) {
      String next = todo.pop();
      if (next.equals("..")) {
        done.pollLast();
      } else if (!next.isEmpty() && !next.equals(".")) {
        String target = step(done, next);
        if (target != null) {
          if (++links > MAX_LINKS) {
            throw new KernelException("mkdirat(\"" + shown(path) + "\")", Errno.ELOOP);
          }
          if (target.startsWith("/")) {
            done.clear();
          }
          String[] parts = target.split("/");
          for (int i = parts.length - 1; i >= 0; i--) {
            todo.push(parts[i]);
          }
        }
      }
    }
    return String.join("/", done);
  }

  /// Makes or enters one directory; answers a link's target instead if it is one.
  private @Nullable String step(Deque<String> done, String next) {
    String above = String.join("/", done);
    int number = resolve(above, Open.PATH, WITHOUT_LINKS);
    if (number < 0) {
      throw failed("openat2", above);
    }
    try (Fd directory = new Fd(number)) {
      if (TreeCalls.mkdirat(directory.number(), text(scratch, next), 0700) == 0) {
        done.addLast(next);
        made.add(String.join("/", done));
        return null;
      }
      if (LibC.errno() != Errno.EEXIST) {
        throw failed("mkdirat", above + "/" + next);
      }
      long n = TreeCalls.readlinkat(directory.number(), text(scratch, next), link, MAX_PATH);
      if (n < 0) {
        done.addLast(next);
        return null;
      }
      return new String(link.getByteArray(0, (int) n), StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public void close() {
    parents.values().forEach(Fd::close);
    parents.clear();
    how.close();
    scratch.close();
    link.close();
  }

  /// Writes a byte string with its NUL.
  static Pointer text(Memory to, String text) {
    int length = text.length();
    if (length >= to.size()) {
      throw new KernelException("create(\"" + shown(text) + "\")", Errno.ENAMETOOLONG);
    }
    if (text.indexOf('\0') >= 0) {
      throw new KernelException("create(\"" + shown(text) + "\")", Errno.EINVAL);
    }
    to.write(0, text.getBytes(StandardCharsets.ISO_8859_1), 0, length);
    to.setByte(length, (byte) 0);
    return to;
  }

  static KernelException failed(String call, String path) {
    return new KernelException(call + "(\"" + shown(path) + "\")", LibC.errno());
  }

  /// A byte string as people read it: decoded, without control characters, not too long.
  static String shown(String bytes) {
    String decoded =
        new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    String clean = decoded.replaceAll("\\p{Cntrl}", "?");
    return clean.length() <= 300 ? clean : clean.substring(0, 300) + "...";
  }
}
