package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.LogLine;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodLogs;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "logs", description = "Shows what containers wrote.")
final class Logs implements Callable<Integer> {
  /// One container's log; `prefix` is empty where there is but one.
  private record Source(String pod, String container, String prefix) {}

  private static final int[] COLOURS = {36, 33, 35, 32, 34, 31};

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", arity = "0..1", paramLabel = "POD")
  private @Nullable String pod;

  @Parameters(index = "1", arity = "0..1", paramLabel = "CONTAINER", hidden = true)
  private @Nullable String positional;

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      description = "Which container (default: the pod's first).")
  private @Nullable String container;

  @Option(
      names = {"-a", "--all-containers"},
      description = "Of all containers, each line with its container.")
  private boolean allContainers;

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "LABELS",
      description = "Of all pods with these labels.")
  private @Nullable String selector;

  @Option(
      names = "--prefix",
      negatable = true,
      description =
          "Begin each line with its pod and container (default with -a or -l); --no-prefix: do not.")
  private @Nullable Boolean prefix;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with what is written.")
  private boolean follow;

  @Option(
      names = {"-p", "--previous"},
      description = "Of the instance before the last restart.")
  private boolean previous;

  @Option(
      names = "--tail",
      paramLabel = "LINES",
      defaultValue = "-1",
      description = "Only the last lines.")
  private long tail = -1;

  @Option(names = "--since", paramLabel = "TIME", description = "Only what is newer, such as 5m.")
  private @Nullable String since;

  @Option(
      names = "--since-time",
      paramLabel = "TIME",
      description = "Only what was written then or later (RFC 3339).")
  private @Nullable String sinceTime;

  @Option(names = "--timestamps", description = "With the time of each line.")
  private boolean timestamps;

  @Override
  public Integer call() throws InterruptedException {
    String chosen = container != null ? container : positional != null ? positional : "";
    if ((pod == null) == (selector == null)) {
      throw new Failure("name a pod, or choose pods with -l", Main.USAGE);
    }
    if (allContainers && !chosen.isEmpty()) {
      throw new Failure("choose a container with -c or all with -a, not both", Main.USAGE);
    }
    long sinceNanos = sinceNanos();
    try (Daemon daemon = new Daemon(root)) {
      List<Source> sources = sources(daemon, chosen);
      if (sources.size() == 1) {
        show(daemon, sources.getFirst(), sinceNanos);
        return 0;
      }
      AtomicInteger code = new AtomicInteger();
      List<Thread> threads = new ArrayList<>();
      for (Source source : sources) {
        Runnable show =
            () -> code.accumulateAndGet(tryShow(daemon, source, sinceNanos), Math::max);
        Thread thread = Thread.ofVirtual().start(show);
        if (follow) {
          threads.add(thread);
        } else {
          thread.join();
        }
      }
      for (Thread thread : threads) {
        thread.join();
      }
      return code.get();
    }
  }

  private List<Source> sources(Daemon daemon, String chosen) {
    List<Source> sources = new ArrayList<>();
    if (pod != null && !allContainers) {
      String name = Names.one(pod);
      String of = chosen;
      if (chosen.isEmpty()) {
        PodSummary summary = summary(daemon, name);
        tellDefault(summary);
        of = mains(summary).getFirst();
      }
      return List.of(prefix != null && prefix ? source(name, of, 0) : new Source(name, of, ""));
    }
    List<PodSummary> pods =
        pod != null
            ? List.of(summary(daemon, Names.one(pod)))
            : daemon
                .pods()
                .list(
                    ListPodsRequest.newBuilder()
                        .setSelector(
                            PodSelector.newBuilder()
                                .setNamespace(in.namespace)
                                .setLabels(String.valueOf(selector)))
                        .build())
                .getPodsList()
                .stream()
                .map(Pod::getSummary)
                .toList();
    if (pods.isEmpty()) {
      throw new Failure("no pods match");
    }
    for (PodSummary each : pods) {
      List<String> names =
          allContainers
              ? each.getContainersList().stream().map(ContainerSummary::getName).toList()
              : List.of(chosen.isEmpty() ? mains(each).getFirst() : chosen);
      names.forEach(name -> sources.add(source(each.getName(), name, sources.size())));
    }
    return sources;
  }

  private Source source(String name, String of, int number) {
    if (prefix != null && !prefix) {
      return new Source(name, of, "");
    }
    String text = "[pod/" + name + "/" + of + "] ";
    int colour = COLOURS[number % COLOURS.length];
    return new Source(
        name, of, Screen.colours() ? "\u001b[" + colour + "m" + text + "\u001b[0m" : text);
  }

  private int tryShow(Daemon daemon, Source source, long sinceNanos) {
    try {
      show(daemon, source, sinceNanos);
      return 0;
    } catch (StatusRuntimeException e) {
      Status status = e.getStatus();
      synchronized (this) {
        Main.complain(String.valueOf(status.getDescription()));
      }
      return Main.FAILED;
    }
  }

  private void show(Daemon daemon, Source source, long sinceNanos) {
    PodLogsRequest.Builder request =
        PodLogsRequest.newBuilder()
            .setNamespace(in.namespace)
            .setName(source.pod())
            .setContainer(source.container())
            .setFollow(follow)
            .setPrevious(previous)
            .setSinceNs(sinceNanos);
    if (tail >= 0) {
      request.setTailLines(tail);
    }
    Iterator<PodLogs> answers = daemon.pods().logs(request.build());
    boolean lineBegins = true;
    while (answers.hasNext()) {
      PodLogs some = answers.next();
      // Lines of several containers stay whole as long as none is longer than what comes at once.
      synchronized (this) {
        for (LogLine line : some.getLinesList()) {
          print(source, line, lineBegins);
          lineBegins = !line.getPartial();
        }
        System.out.flush();
        if (System.out.checkError()) {
          throw new Failure("the output can not be written");
        }
      }
    }
  }

  private void print(Source source, LogLine line, boolean begins) {
    if (begins) {
      System.out.print(source.prefix());
    }
    if (timestamps && begins) {
      System.out.print(time(line.getTimeNs()) + " ");
    }
    try {
      line.getText().writeTo(System.out);
    } catch (IOException e) {
      throw new Failure("the output can not be written");
    }
    if (!line.getPartial()) {
      System.out.write('\n');
    }
  }

  private PodSummary summary(Daemon daemon, String name) {
    return daemon
        .pods()
        .get(GetPodRequest.newBuilder().setNamespace(in.namespace).setName(name).build())
        .getSummary();
  }

  private static List<String> mains(PodSummary summary) {
    return summary.getContainersList().stream()
        .filter(c -> !c.getInit())
        .map(ContainerSummary::getName)
        .toList();
  }

  private static void tellDefault(PodSummary summary) {
    List<String> names = mains(summary);
    if (names.size() > 1) {
      System.err.println(
          "peapod: showing container \""
              + names.getFirst()
              + "\" of "
              + names.stream().collect(Collectors.joining(", "))
              + "; choose with -c, or all with -a");
    }
  }

  private long sinceNanos() {
    if (since != null) {
      return (System.currentTimeMillis() - Texts.duration(since, "--since").toMillis()) * 1_000_000;
    }
    if (sinceTime != null) {
      try {
        Instant instant = DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(sinceTime, Instant::from);
        return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
      } catch (DateTimeParseException e) {
        throw new Failure(
            "the value of --since-time must be a time such as 2026-01-02T03:04:05Z", Main.USAGE);
      }
    }
    return 0;
  }

  /// RFC 3339 with nine digits.
  private static String time(long nanos) {
    Instant instant = Instant.ofEpochSecond(0, nanos);
    String seconds = Instant.ofEpochSecond(instant.getEpochSecond()).toString();
    String fraction = Integer.toString(1_000_000_000 + instant.getNano()).substring(1);
    return seconds.substring(0, seconds.length() - 1) + "." + fraction + "Z";
  }
}
