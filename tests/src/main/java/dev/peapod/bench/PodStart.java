package dev.peapod.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Starts and removes pods of one container against one or more CRI runtimes and prints Markdown tables. Runtimes take turns
/// series by series, so all of them see the same machine.
public final class PodStart {
  private static final String USAGE =
      """
      usage: pod-start --runtime NAME=SOCKET... --image REFERENCE [option...]
        --pods N       pods in each series (100)
        --workers P    workers of the parallel series (4)
        --gap MS       pause after each pod in the series with pauses (40)
        --warm-up N    pods before the first series, not counted (100)
        --resident N   pods that run together while memory is measured (10)
        --network pod|host
      """;

  private final Settings settings;
  private final List<Runtime> runtimes;
  private final PrintStream out = System.out;

  private PodStart(Settings settings, List<Runtime> runtimes) {
    this.settings = settings;
    this.runtimes = runtimes;
  }

  private record Settings(
      Map<String, Path> runtimes,
      String image,
      int pods,
      int workers,
      int gap,
      int warmUp,
      int resident,
      boolean hostNetwork) {

    static Settings parse(String[] arguments) {
      Map<String, Path> runtimes = new LinkedHashMap<>();
      Map<String, String> values = new LinkedHashMap<>();
      for (int i = 0; i < arguments.length; i += 2) {
        if (i + 1 == arguments.length) {
          throw new IllegalArgumentException(arguments[i] + " needs a value");
        }
        String value = arguments[i + 1];
        if (arguments[i].equals("--runtime")) {
          String[] parts = value.split("=", 2);
          if (parts.length != 2) {
            throw new IllegalArgumentException("--runtime " + value + " is not NAME=SOCKET");
          }
          runtimes.put(parts[0], Path.of(parts[1]));
        } else {
          values.put(arguments[i], value);
        }
      }
      String image = values.remove("--image");
      if (runtimes.isEmpty() || image == null) {
        throw new IllegalArgumentException("--runtime and --image are needed");
      }
      Settings settings =
          new Settings(
              runtimes,
              image,
              number(values, "--pods", 100),
              number(values, "--workers", 4),
              number(values, "--gap", 40),
              number(values, "--warm-up", 100),
              number(values, "--resident", 10),
              "host".equals(values.remove("--network")));
      if (!values.isEmpty()) {
        throw new IllegalArgumentException("unknown: " + String.join(" ", values.keySet()));
      }
      return settings;
    }

    private static int number(Map<String, String> values, String name, int otherwise) {
      String value = values.remove(name);
      return value == null ? otherwise : Integer.parseInt(value);
    }
  }

  /// Exit status 2: wrong arguments. A call that fails ends the benchmark.
  public static void main(String[] arguments) throws Exception {
    Settings settings;
    try {
      settings = Settings.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(USAGE);
      System.exit(2);
      return;
    }
    Path logs = Files.createTempDirectory("pod-start");
    List<Runtime> runtimes = new ArrayList<>();
    try {
      settings.runtimes.forEach(
          (name, socket) ->
              runtimes.add(
                  new Runtime(name, socket, settings.image, settings.hostNetwork, logs)));
      new PodStart(settings, runtimes).run();
    } finally {
      runtimes.forEach(Runtime::close);
      deleteTree(logs);
    }
  }

  private void run() throws InterruptedException, ExecutionException {
    out.printf(
        "%d pods of one container in each series; %s network; %s%n",
        settings.pods,
        settings.hostNetwork ? "the host's" : "the pod's own",
        runtimes.stream()
            .map(r -> r.name() + " = " + r.version())
            .collect(Collectors.joining(", ")));
    for (Runtime runtime : runtimes) {
      runtime.needImage();
      series(runtime, 1, 0, settings.warmUp);
    }
    compare("One after the other", 1, 0);
    compare("One after the other, %d ms between pods".formatted(settings.gap), 1, settings.gap);
    compare("%d workers".formatted(settings.workers), settings.workers, 0);
    compare(
        "%d workers, %d ms between pods".formatted(settings.workers, settings.gap),
        settings.workers,
        settings.gap);
    memory();
  }

  private void compare(String title, int workers, int gap)
      throws InterruptedException, ExecutionException {
    Map<Runtime, Series> results = new LinkedHashMap<>();
    for (Runtime runtime : runtimes) {
      results.put(runtime, series(runtime, workers, gap, settings.pods));
    }
    out.printf("%n### %s%n%n| p50 / p99, ms |", title);
    results.keySet().forEach(r -> out.printf(" %s |", r.name()));
    out.print(results.size() == 2 ? " p50 ratio |\n| --- |" : "\n| --- |");
    out.print(" --- |".repeat(results.size() + (results.size() == 2 ? 1 : 0)) + "\n");
    List<Series> all = List.copyOf(results.values());
    for (Call call : Call.values()) {
      out.printf("| %s |", call.title());
      all.forEach(s -> out.printf(" %.2f / %.2f |", s.quantile(call, 0.5), s.quantile(call, 0.99)));
      if (all.size() == 2) {
        out.printf(" %.1f |", all.get(1).quantile(call, 0.5) / all.get(0).quantile(call, 0.5));
      }
      out.println();
    }
    out.print("| pods/s |");
    all.forEach(s -> out.printf(" %.1f |", s.podsPerSecond()));
    if (all.size() == 2) {
      out.printf(" %.1f |", all.get(0).podsPerSecond() / all.get(1).podsPerSecond());
    }
    out.println();
  }

  private Series series(Runtime runtime, int workers, int gap, int pods)
      throws InterruptedException, ExecutionException {
    Series series = new Series();
    AtomicInteger left = new AtomicInteger(pods);
    long begin = System.nanoTime();
    try (ExecutorService executor = Executors.newFixedThreadPool(workers)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        all.add(
            executor.submit(
                () -> {
                  while (left.getAndDecrement() > 0) {
                    series.add(runtime.round());
                    Thread.sleep(gap);
                  }
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    series.finished(System.nanoTime() - begin);
    return series;
  }

  private void memory() {
    out.printf("%n### Memory, %d pods running%n%n", settings.resident);
    out.print(
        """
        | runtime | PSS a pod, KiB | of which | daemon, resident, MiB |
        | --- | --- | --- | --- |
        """);
    for (Runtime runtime : runtimes) {
      Memory.Cost cost = cost(runtime);
      out.printf(
          "| %s | %.0f | %s | %.0f |%n",
          runtime.name(),
          cost.perPod(),
          cost.kilobytes().entrySet().stream()
              .map(e -> "%s %.0f".formatted(e.getKey(), e.getValue()))
              .collect(Collectors.joining(", ")),
          cost.daemonKilobytes() / 1024.0);
    }
  }

  private Memory.Cost cost(Runtime runtime) {
    List<Runtime.StartedPod> pods = new ArrayList<>();
    try {
      for (int i = 0; i < settings.resident; i++) {
        pods.add(runtime.start(new EnumMap<>(Call.class)));
      }
      return Memory.of(pods.size(), runtime.socket());
    } finally {
      pods.forEach(pod -> runtime.remove(pod, new EnumMap<>(Call.class)));
    }
  }

  private static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      paths
          .sorted((a, b) -> b.compareTo(a))
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
