package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.KernelFiles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/// What both versions do with a cgroup's directory.
final class CgroupFiles {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private CgroupFiles() {}

  /// Adds the processes in a cgroup and below.
  static void collect(String directory, Set<Integer> pids) {
    try {
      KernelFiles.read(directory + "/cgroup.procs", 1 << 26)
          .lines()
          .map(Integer::valueOf)
          .filter(pid -> pid != 0)
          .forEach(pids::add);
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
        throw e;
      }
      return;
    }
    for (String below : KernelFiles.directories(directory)) {
      collect(directory + "/" + below, pids);
    }
  }

  /// Writes `1` to a `cgroup.kill`; what is gone is fine.
  static void kill(String file) {
    try {
      KernelFiles.write(file, "1");
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
        throw e;
      }
    }
  }

  /// Removes directories with all below them, trying again for some seconds while processes are ending: whether they
  /// are gone.
  static boolean remove(Collection<String> directories) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    long pause = 100_000;
    List<String> left = new ArrayList<>(directories);
    while (true) {
      left.removeIf(CgroupFiles::removeTree);
      if (left.isEmpty()) {
        return true;
      }
      if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(pause * 2, 20_000_000);
    }
  }

  private static boolean removeTree(String directory) {
    if (KernelFiles.removeDirectory(directory)) {
      return true;
    }
    List<String> below = KernelFiles.directories(directory);
    boolean gone = true;
    for (String name : below) {
      gone &= removeTree(directory + "/" + name);
    }
    return gone && !below.isEmpty() && KernelFiles.removeDirectory(directory);
  }

  /// Takes back what a creation that failed had made.
  static void undo(List<String> made, RuntimeException failure) {
    for (String directory : made.reversed()) {
      try {
        KernelFiles.removeDirectory(directory);
      } catch (KernelException again) {
        failure.addSuppressed(again);
      }
    }
  }

  /// A file's number; none if there is no such file.
  static OptionalLong value(Optional<String> file) {
    return value(file, KernelFiles::readAtOnce);
  }

  /// As [#value(Optional)].
  static OptionalLong value(Optional<String> file, UnaryOperator<String> read) {
    if (file.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(read.apply(file.get())));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  /// The number in a line of a file that was read, 0 if it has no such line; none without the file.
  static OptionalLong detail(Optional<String> text, String key) {
    return text.map(t -> OptionalLong.of(KernelCounter.of(t, key))).orElse(OptionalLong.empty());
  }

  /// What is used less what can go at once.
  static OptionalLong less(OptionalLong used, OptionalLong part) {
    return used.isPresent() && part.isPresent()
        ? OptionalLong.of(Math.max(0, used.getAsLong() - part.getAsLong()))
        : used;
  }

  /// A path that is one.
  ///
  /// @throws PeapodException INVALID
  static String checked(String path) {
    boolean valid = path.startsWith("/");
    for (int at = 0; valid && at < path.length(); ) {
      int slash = path.indexOf('/', at + 1);
      int end = slash < 0 ? path.length() : slash;
      valid = isName(path, at + 1, end);
      at = end;
    }
    if (!valid) {
      throw PeapodException.invalid("\"" + path + "\" is not a path of a cgroup");
    }
    return path;
  }

  private static boolean isName(String path, int start, int end) {
    int length = end - start;
    // No dots at all are no name either.
    boolean dots = length <= 2 && path.regionMatches(start, "..", 0, length);
    for (int i = start; i < end; i++) {
      if (path.charAt(i) < ' ') {
        return false;
      }
    }
    return !dots;
  }

  /// The levels that were made, the highest first.
  static List<String> highestFirst(Collection<String> levels) {
    return levels.stream().sorted((a, b) -> Integer.compare(a.length(), b.length())).toList();
  }
}
