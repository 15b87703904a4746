package dev.peapod.system;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/// What pods make on a machine, outside of any one process: taken before and after, two snapshots must be equal.
///
/// @param things one line for each process of ours, mount, namespace pin, interface, address, nftables line, cgroup, socket,
///     listening port, state file and the forwarding switches
record MachineSnapshot(Set<String> things) {
  private static final Duration PATIENCE = Patience.ofSeconds(20);
  private static final Path PROC = Path.of("/proc");
  /// Things of other programs that come and go while tests run on a shared machine; none by default.
  private static final Pattern ELSEWHERE =
      Pattern.compile(System.getProperty("peapod.tests.elsewhere", "(?!)"));

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  /// How the names of all cgroups and sockets begin that tests and examples make.
  private static final String OURS = "/pea";
  private static final Pattern PASSING =
      Pattern.compile(
          "^\\d+: |(valid|preferred)_lft \\S+|expires \\S+|<[A-Z_,0-9-]+>| (state|qdisc) \\S+| (linkdown|tentative)");
  /// The kernel adds these for each link's own IPv6 address, some time after the link is up.
  private static final Pattern LINK_LOCAL = Pattern.compile("^((local|anycast|multicast) )?(fe80:|ff00:)");
  private static final Pattern PROGRAMS = Pattern.compile("/memfd:(pause|joiner)\\b.*");

  /// Looks at the machine.
  ///
  /// @param state directories whose every file counts
  /// @param ignored files and directories below them that do not
  static MachineSnapshot take(List<Path> state, Predicate<Path> ignored) {
    Set<String> things = new TreeSet<>();
    processes(things);
    mounts(things);
    children(Path.of("/run/netns"), "namespace pin", things);
    // As few programs as can be: where everything is emulated, to start one takes long.
    lines(
        "network",
        things,
        "sh",
        "-c",
        "set -e; printf 'link show\\naddress show\\nroute show table all\\n' | ip -o -batch -; exec nft -s list ruleset");
    cgroups(things);
    sockets(things);
    for (String name : List.of("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")) {
      things.add("sysctl " + name + " " + text(Path.of("/proc/sys", name.replace('.', '/'))).strip());
    }
    state.forEach(directory -> files(directory, ignored, things));
    things.removeIf(thing -> ELSEWHERE.matcher(thing).find());
    return new MachineSnapshot(things);
  }

  /// What the other has and this has not, and the reverse.
  List<String> differences(MachineSnapshot after) {
    List<String> differences = new ArrayList<>();
    things.stream()
        // Others may stop listening meanwhile; pods can not make them.
        .filter(t -> !t.startsWith("port ") && !after.things.contains(t))
        .forEach(t -> differences.add("gone: " + t));
    after.things.stream().filter(t -> !things.contains(t)).forEach(t -> differences.add("left: " + t));
    return differences;
  }

  /// Waits until the machine is like this again; the kernel takes down some things a moment after their last user.
  ///
  /// @param log what else to show if it never is
  void awaitSame(Supplier<MachineSnapshot> now, Supplier<String> log) {
    try {
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(100))
          .untilAsserted(() -> assertThat(differences(now.get())).isEmpty());
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(e.getMessage() + "\nThe daemon's log:\n" + log.get(), e);
    }
  }

  /// Everything that runs from a sealed memfd, as pause and joiner do, and every peapodd.
  private static void processes(Set<String> things) {
    try (Stream<Path> all = Files.list(PROC)) {
      for (Path process : all.filter(p -> isNumber(p.getFileName().toString())).toList()) {
        String program = link(process.resolve("exe"));
        String command = text(process.resolve("cmdline")).replace('\0', ' ').strip();
        if (PROGRAMS.matcher(program).matches() || command.contains("dev.peapod.daemon.Main")) {
          // Without its id, which a daemon that was started again has anew.
          String line = "process %s %s".formatted(program, command);
          while (!things.add(line)) {
            line += " (another)";
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void mounts(Set<String> things) {
    text(PROC.resolve("self/mountinfo"))
        .lines()
        .map(line -> line.split(" ", -1))
        .forEach(fields -> things.add("mount " + fields[0] + " " + fields[4]));
  }

  private static void cgroups(Set<String> things) {
    try {
      Files.walkFileTree(
          CGROUPS,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              if (path.toString().contains(OURS)) {
                things.add("cgroup " + path);
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
  }

  private static void sockets(Set<String> things) {
    text(PROC.resolve("net/unix"))
        .lines()
        .map(line -> line.strip().split("\\s+", 0))
        .filter(fields -> fields.length == 8 && fields[3].equals("00010000"))
        .filter(fields -> fields[7].contains(OURS))
        .forEach(fields -> things.add("socket " + fields[7]));
    for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
      text(PROC.resolve("net/" + protocol))
          .lines()
          .map(line -> line.strip().split("\\s+", 0))
          .filter(fields -> fields[3].equals(protocol.startsWith("tcp") ? "0A" : "07"))
          .forEach(fields -> things.add("port " + protocol + " " + fields[1]));
    }
  }

  private static void files(Path directory, Predicate<Path> ignored, Set<String> things) {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              if (ignored.test(path)) {
                return FileVisitResult.SKIP_SUBTREE;
              }
              things.add("directory " + path);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
              if (!ignored.test(path)) {
                things.add("file " + path);
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
  }

  private static void children(Path directory, String kind, Set<String> things) {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> children = Files.list(directory)) {
      things.addAll(children.map(c -> kind + " " + c).collect(toCollection(TreeSet::new)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void lines(String kind, Set<String> things, String... command) {
    Shell.run(command)
        .ok()
        .lines()
        .filter(line -> !LINK_LOCAL.matcher(line).find())
        // Index numbers, and what counts down, is only learnt or follows from a carrier say nothing about what is left.
        .map(line -> PASSING.matcher(line).replaceAll("").strip())
        .forEach(line -> things.add(kind + " " + line));
  }

  private static boolean isNumber(String name) {
    return name.chars().allMatch(Character::isDigit);
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      return "";
    }
  }

  /// Empty where the file went away.
  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }
}
