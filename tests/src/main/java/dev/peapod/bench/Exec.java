package dev.peapod.bench;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Executes `true` in a running container of one or more CRI runtimes, in turns, and prints a Markdown table.
public final class Exec {
  private static final String USAGE =
      """
      usage: exec --runtime NAME=SOCKET... --image REFERENCE [option...]
        --rounds N     how often (300), after a quarter of them that are not counted
        --network pod|host
      """;

  private Exec() {}

  /// Exit status 2: wrong arguments. A call that fails ends the benchmark.
  public static void main(String[] arguments) throws Exception {
    Map<String, String> values = new HashMap<>();
    List<String[]> sockets = new ArrayList<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      if (arguments[i].equals("--runtime")) {
        sockets.add(arguments[i + 1].split("=", 2));
      } else {
        values.put(arguments[i], arguments[i + 1]);
      }
    }
    String image = values.get("--image");
    if (sockets.isEmpty()
        || sockets.stream().anyMatch(s -> s.length != 2)
        || image == null
        || arguments.length % 2 != 0) {
      System.err.print(USAGE);
      System.exit(2);
      return;
    }
    int rounds = Integer.parseInt(values.getOrDefault("--rounds", "300"));
    boolean host = "host".equals(values.get("--network"));
    Path logs = Files.createTempDirectory("exec");
    List<Runtime> runtimes =
        sockets.stream().map(s -> new Runtime(s[0], Path.of(s[1]), image, host, logs)).toList();
    try {
      run(runtimes, rounds);
    } finally {
      runtimes.forEach(Runtime::close);
      Lists.deleteTree(logs);
    }
  }

  private static void run(List<Runtime> runtimes, int rounds) {
    List<Runtime.StartedPod> pods = new ArrayList<>();
    List<long[]> times = new ArrayList<>();
    try {
      for (Runtime runtime : runtimes) {
        runtime.needImage();
        pods.add(runtime.start(new EnumMap<>(Call.class)));
        times.add(new long[rounds]);
      }
      for (int round = -rounds / 4; round < rounds; round++) {
        for (int i = 0; i < runtimes.size(); i++) {
          long begin = System.nanoTime();
          runtimes.get(i).exec(pods.get(i), List.of("true"));
          if (round >= 0) {
            times.get(i)[round] = System.nanoTime() - begin;
          }
        }
      }
    } finally {
      for (int i = 0; i < pods.size(); i++) {
        runtimes.get(i).remove(pods.get(i), new EnumMap<>(Call.class));
      }
    }
    print(runtimes, times);
  }

  private static void print(List<Runtime> runtimes, List<long[]> times) {
    PrintStream out = System.out;
    times.forEach(Arrays::sort);
    out.printf("ExecSync of `true`, %d calls in turns, in ms:%n%n", times.getFirst().length);
    out.println("| runtime | p50 | p99 | p50 to the first one's |");
    out.println("| --- | ---: | ---: | ---: |");
    for (int i = 0; i < runtimes.size(); i++) {
      long[] sorted = times.get(i);
      double half = sorted[sorted.length / 2];
      out.printf(
          "| %s | %.2f | %.2f | %.1f |%n",
          runtimes.get(i).name(),
          half / 1e6,
          sorted[sorted.length * 99 / 100] / 1e6,
          half / times.getFirst()[sorted.length / 2]);
    }
  }
}
