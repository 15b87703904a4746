package dev.peapod.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The cgroup of a process, as the machine has it.
final class ProcessCgroup {
  /// Whether the machine has version 2 and nothing else.
  static final boolean IS_V2 = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));

  private ProcessCgroup() {}

  /// The lines of `/proc/PID/cgroup`, which differ by the reader's own cgroup namespace.
  static List<String> lines(int pid) {
    return readLines(Path.of("/proc/" + pid + "/cgroup"));
  }

  /// Its directory, in the hierarchy of a version-1 controller or in version 2's.
  static Path directory(int pid, String controller) {
    for (String line : lines(pid)) {
      String[] parts = line.split(":", 3);
      if (IS_V2 || List.of(parts[1].split(",", -1)).contains(controller)) {
        return Path.of("/sys/fs/cgroup" + (IS_V2 ? "" : "/" + controller) + parts[2]);
      }
    }
    throw new IllegalStateException("no hierarchy has the controller " + controller);
  }

  /// What a file of it says; its name begins with that of the controller.
  static String file(int pid, String v1, String v2) {
    String name = IS_V2 ? v2 : v1;
    return read(directory(pid, name.substring(0, name.indexOf('.'))).resolve(name));
  }

  static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Where a pod's processes may be: their paths in all hierarchies that containers are made in.
  static Stream<String> paths(int pid) {
    return lines(pid).stream().map(line -> line.split(":", 3)[2]).filter(path -> !path.equals("/"));
  }

  private static List<String> readLines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
