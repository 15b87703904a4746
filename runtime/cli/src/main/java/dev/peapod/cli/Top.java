package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ContainerUsage;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodStatsRequest;
import dev.peapod.proto.peapod.v1.PodStatsResponse;
import dev.peapod.proto.peapod.v1.PodUsage;
import dev.peapod.proto.peapod.v1.Usage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "top",
    description = "Shows what running pods use: on a terminal again and again, else once.",
    footer = {"", "Processor time is shown in thousandths of a core, over the time between two looks."})
final class Top implements Callable<Integer> {
  enum Order {
    cpu,
    memory,
    name
  }

  /// One line, with the figures that it is sorted by.
  private record Line(List<String> cells, double cpu, long memory) {}

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Mixin private MaybePod pod = new MaybePod();

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "LABELS",
      defaultValue = "",
      description = "Only pods with these labels.")
  private String selector = "";

  @Option(
      names = {"-A", "--all-namespaces"},
      description = "Pods of all namespaces.")
  private boolean allNamespaces;

  @Option(names = "--containers", description = "A line for each container.")
  private boolean containers;

  @Option(
      names = "--sort-by",
      paramLabel = "WHAT",
      defaultValue = "cpu",
      description = "cpu (default), memory or name.")
  private Order order = Order.cpu;

  @Option(names = "--once", description = "Once, on a terminal too.")
  private boolean once;

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      defaultValue = "1s",
      description = "Between two looks (default: 1s).")
  private String interval = "1s";

  @Option(names = "--no-headers", description = "No title line.")
  private boolean noHeaders;

  private Map<String, Usage> before = new HashMap<>();

  @Override
  public Integer call() throws InterruptedException {
    Duration pause = Texts.duration(interval, "--interval");
    if (pause.isZero()) {
      throw new Failure("--interval must be more than nothing", Main.USAGE);
    }
    PodStatsRequest request =
        PodStatsRequest.newBuilder()
            .setSelector(
                PodSelector.newBuilder()
                    .setNamespace(allNamespaces ? "" : in.namespace)
                    .setName(pod.name())
                    .setLabels(selector))
            .build();
    boolean live = Screen.outIsTerminal() && !once;
    try (Daemon daemon = new Daemon(root)) {
      look(daemon, request);
      do {
        Thread.sleep(pause);
        List<Line> lines = look(daemon, request);
        if (live) {
          show(lines);
        } else if (lines.isEmpty()) {
          System.err.println("No running pods found.");
        } else {
          table(lines).print(!noHeaders, false);
        }
        System.out.flush();
      } while (live && !System.out.checkError());
    }
    return 0;
  }

  private List<Line> look(Daemon daemon, PodStatsRequest request) {
    PodStatsResponse response = daemon.pods().stats(request);
    Map<String, Usage> now = new HashMap<>();
    List<Line> lines = new ArrayList<>();
    for (PodUsage each : response.getPodsList()) {
      String key = each.getNamespace() + "/" + each.getName();
      if (containers) {
        for (ContainerUsage container : each.getContainersList()) {
          now.put(key + "/" + container.getName(), container.getUsage());
          lines.add(line(each, container.getName(), container.getUsage()));
        }
      } else {
        now.put(key, each.getUsage());
        lines.add(line(each, "", each.getUsage()));
      }
    }
    before = now;
    Comparator<Line> by =
        switch (order) {
          case cpu -> Comparator.comparingDouble(Line::cpu).reversed();
          case memory -> Comparator.comparingLong(Line::memory).reversed();
          case name -> (a, b) -> 0;
        };
    lines.sort(by);
    return lines;
  }

  private Line line(PodUsage of, String container, Usage usage) {
    String key = of.getNamespace() + "/" + of.getName() + (container.isEmpty() ? "" : "/" + container);
    Usage earlier = before.getOrDefault(key, Usage.getDefaultInstance());
    double cpu = -1;
    if (usage.hasCpuNs() && earlier.hasCpuNs() && usage.getCpuReadNs() > earlier.getCpuReadNs()) {
      long time = usage.getCpuReadNs() - earlier.getCpuReadNs();
      // A container that was started anew counts from the beginning.
      cpu = Math.max(0, usage.getCpuNs() - earlier.getCpuNs()) * 1000.0 / time;
    }
    List<String> cells = new ArrayList<>();
    if (allNamespaces) {
      cells.add(of.getNamespace());
    }
    cells.add(of.getName());
    if (containers) {
      cells.add(container);
    }
    cells.add(cpu < 0 ? "-" : Math.round(cpu) + "m");
    cells.add(usage.hasMemoryBytes() ? mebibytes(usage.getMemoryBytes()) : "-");
    if (!containers) {
      cells.add(usage.hasProcesses() ? Long.toString(usage.getProcesses()) : "-");
      cells.add(usage.hasReceivedBytes() ? Texts.size(usage.getReceivedBytes()) : "-");
      cells.add(usage.hasSentBytes() ? Texts.size(usage.getSentBytes()) : "-");
    }
    return new Line(cells, cpu, usage.getMemoryBytes());
  }

  private static String mebibytes(long bytes) {
    double value = bytes / (double) (1 << 20);
    return String.format(Locale.ROOT, value < 9.95 ? "%.1fMi" : "%.0fMi", value);
  }

  private Table table(List<Line> lines) {
    List<String> titles = new ArrayList<>();
    if (allNamespaces) {
      titles.add("NAMESPACE");
    }
    titles.add("POD");
    if (containers) {
      titles.add("CONTAINER");
    }
    titles.addAll(List.of("CPU", "MEMORY"));
    if (!containers) {
      titles.addAll(List.of("PROCESSES", "RECEIVED", "SENT"));
    }
    Table table = new Table(titles.toArray(String[]::new));
    lines.forEach(line -> table.row(line.cells()));
    return table;
  }

  /// Writes over what was shown before, without a flicker.
  private void show(List<Line> lines) {
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    PrintStream screen = System.out;
    System.setOut(new PrintStream(page, false, StandardCharsets.UTF_8));
    try {
      table(lines).print(!noHeaders, false);
      System.out.flush();
    } finally {
      System.setOut(screen);
    }
    String text = page.toString(StandardCharsets.UTF_8);
    System.out.print("\u001b[H" + text.replace("\n", "\u001b[K\n") + "\u001b[J");
  }
}
