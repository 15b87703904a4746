package dev.peapod.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/// The processes of a daemon's pods, found by the cgroups that they are in.
final class PodProcesses {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Pattern PARENT = Pattern.compile("(?m)^PPid:\\s+([0-9]+)");

  private PodProcesses() {}

  /// One process.
  ///
  /// @param command its command line, blank-separated
  record Found(int pid, String command) {
    /// What `/proc/PID/ns/NAME` says.
    String namespace(String name) {
      return link("ns/" + name);
    }

    /// Its root directory's, working directory's or program's path; empty if it has ended.
    String link(String name) {
      try {
        return Files.readSymbolicLink(Path.of("/proc/" + pid, name)).toString();
      } catch (IOException e) {
        return "";
      }
    }

    int parent() {
      try {
        Matcher matcher = PARENT.matcher(Files.readString(Path.of("/proc/" + pid, "status")));
        if (!matcher.find()) {
          throw new IllegalStateException("no parent in the status of " + pid);
        }
        return Integer.parseInt(matcher.group(1));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void kill() {
      Shell.run("kill", "-9", Integer.toString(pid)).ok();
    }

    boolean isPause() {
      return link("exe").startsWith("/memfd:");
    }
  }

  /// All of them, pause included.
  static List<Found> of(Peapod peapod) {
    Set<Integer> pids = new TreeSet<>();
    try {
      Files.walkFileTree(
          CGROUPS,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              if ((path + "/").contains(peapod.cgroup() + "/")) {
                read(path.resolve("cgroup.procs"), pids);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path path, IOException e) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return pids.stream().filter(pid -> pid > 0).map(PodProcesses::found).toList();
  }

  /// Those whose command line has the text in it.
  static List<Found> of(Peapod peapod, String text) {
    return of(peapod).stream().filter(p -> p.command().contains(text)).toList();
  }

  /// Those whose command line has the text in it, once there are that many: a container runs before its shell has
  /// executed what it was told to.
  static List<Found> await(Peapod peapod, String text, int count) {
    return Awaitility.await().until(() -> of(peapod, text), found -> found.size() >= count);
  }

  /// Ends all of them at once, the monitors' containers with them.
  static void killAll(Peapod peapod) {
    Awaitility.await()
        .until(
            () -> {
              List<Found> left = of(peapod);
              left.forEach(p -> Shell.run("kill", "-9", Integer.toString(p.pid())));
              return left.isEmpty();
            });
  }

  private static void read(Path file, Set<Integer> pids) {
    try {
      Files.readAllLines(file).forEach(line -> pids.add(Integer.valueOf(line)));
    } catch (IOException e) {
      // The cgroup went away, and its processes before it.
    }
  }

  private static Found found(int pid) {
    try {
      String command = Files.readString(Path.of("/proc/" + pid, "cmdline"));
      return new Found(pid, command.replace('\0', ' ').strip());
    } catch (IOException e) {
      return new Found(pid, "");
    }
  }
}
