package dev.peapod.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What pods cost in memory, read from /proc. A pod's own processes are found from its workload: the parent is its monitor (or
/// shim), and PID 1 of its PID namespace is its pause process.
final class Memory {
  private static final Path PROC = Path.of("/proc");
  private static final Pattern PSS = Pattern.compile("(?m)^Pss: +([0-9]+) kB");
  private static final Pattern RSS = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB");
  private static final Pattern PARENT = Pattern.compile("(?m)^PPid:\\s+([0-9]+)");
  private static final Pattern INNERMOST = Pattern.compile("(?m)^NSpid:.*\\s1$");

  private Memory() {}

  /// @param kilobytes proportional memory of each kind of process by the program's name, for one pod
  /// @param daemonKilobytes resident memory of the daemon, 0 if it is not known
  record Cost(Map<String, Double> kilobytes, long daemonKilobytes) {
    double perPod() {
      return kilobytes.values().stream().mapToDouble(Double::doubleValue).sum();
    }
  }

  /// Measures pods that are running now.
  ///
  /// @param pods how many there are
  static Cost of(int pods, Path socket) {
    List<Integer> workloads = workloads();
    // A runtime may answer a moment before the program is executed.
    long limit = System.nanoTime() + 10_000_000_000L;
    while (workloads.size() != pods && System.nanoTime() < limit) {
      Thread.onSpinWait();
      workloads = workloads();
    }
    if (workloads.size() != pods) {
      throw new IllegalStateException(
          "%d workloads are running instead of %d".formatted(workloads.size(), pods));
    }
    List<Integer> all = processes();
    Set<Integer> own = new HashSet<>();
    for (int workload : workloads) {
      own.add(Integer.parseInt(first(PARENT, text(workload, "status"), "0")));
      Object namespace = namespace(workload);
      all.stream()
          .filter(p -> INNERMOST.matcher(text(p, "status")).find() && namespace(p).equals(namespace))
          .forEach(own::add);
    }
    Map<String, Double> sums = new TreeMap<>();
    for (int process : own) {
      double pss = Double.parseDouble(first(PSS, text(process, "smaps_rollup"), "0"));
      sums.merge(text(process, "comm").strip(), pss / pods, Double::sum);
    }
    OptionalInt daemon = listener(socket, all);
    long resident =
        daemon.isPresent()
            ? Long.parseLong(first(RSS, text(daemon.getAsInt(), "status"), "0"))
            : 0;
    return new Cost(sums, resident);
  }

  private static List<Integer> workloads() {
    return processes().stream()
        .filter(p -> text(p, "cmdline").endsWith("\0" + Runtime.WORKLOAD + "\0"))
        .toList();
  }

  private static List<Integer> processes() {
    try (Stream<Path> entries = Files.list(PROC)) {
      return entries
          .map(p -> p.getFileName().toString())
          .filter(n -> n.chars().allMatch(Character::isDigit))
          .map(Integer::valueOf)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The process that listens on a unix socket.
  private static OptionalInt listener(Path socket, List<Integer> processes) {
    String path = " " + socket.toAbsolutePath();
    Set<String> links = new HashSet<>();
    try {
      for (String line : Files.readAllLines(PROC.resolve("net/unix"))) {
        String[] fields = line.strip().split("\\s+", 0);
        if (line.endsWith(path) && fields[3].equals("00010000")) {
          links.add("socket:[" + fields[6] + "]");
        }
      }
    } catch (IOException e) {
      return OptionalInt.empty();
    }
    return processes.stream().filter(p -> holds(p, links)).mapToInt(p -> p).findFirst();
  }

  private static boolean holds(int process, Set<String> links) {
    try (Stream<Path> descriptors = Files.list(PROC.resolve(process + "/fd"))) {
      return descriptors.anyMatch(d -> links.contains(link(d)));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static Object namespace(int process) {
    return link(PROC.resolve(process + "/ns/pid"));
  }

  /// Empty if the process is gone.
  private static String text(int process, String file) {
    try {
      return Files.readString(PROC.resolve(process + "/" + file));
    } catch (IOException e) {
      return "";
    }
  }

  private static String first(Pattern pattern, String text, String otherwise) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? matcher.group(1) : otherwise;
  }
}
