package dev.peapod.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Looks for what a test engine may have left on the machine.
final class Leftovers {
  private Leftovers() {}

  static void assertNone(TestEngine engine) throws IOException {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> assertThat(processes(engine)).as("processes").isEmpty());
    assertThat(mounts(engine)).as("mounts").isEmpty();
    assertThat(cgroups()).as("cgroups").isEmpty();
    assertThat(NetworkInterface.getByName(TestEngine.BRIDGE)).as("bridge").isNull();
    assertThat(files(engine.state)).as("state files").isEmpty();
    assertThat(files(engine.root.resolve("containers"))).as("snapshots").isEmpty();
  }

  /// Processes in our cgroups, and those of our programs that work under our roots.
  private static List<String> processes(TestEngine engine) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : all.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
        try {
          if (Files.readString(process.resolve("cgroup")).contains(TestEngine.CGROUP + "/")
              || Files.readString(process.resolve("maps")).contains(engine.root.toString())) {
            found.add(process + " " + Files.readString(process.resolve("comm")).strip());
          }
        } catch (IOException e) {
          // It has ended.
        }
      }
    }
    found.removeIf(p -> p.startsWith("/proc/" + ProcessHandle.current().pid() + " "));
    return found;
  }

  private static List<String> mounts(TestEngine engine) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(engine.root.toString()))
        .toList();
  }

  private static List<Path> cgroups() throws IOException {
    try (Stream<Path> hierarchies = Files.list(Path.of("/sys/fs/cgroup"))) {
      return hierarchies
          .map(h -> h.resolve(TestEngine.CGROUP.substring(1)))
          .filter(Files::exists)
          .toList();
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(p -> !p.equals(directory)).toList();
    }
  }

  static void deleteTree(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
