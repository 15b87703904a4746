package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.LogLine;
import dev.peapod.proto.peapod.v1.PodLogs;
import dev.peapod.proto.peapod.v1.PodLogsRequest;
import dev.peapod.proto.peapod.v1.PodSummary;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "logs", description = "Shows what a container wrote.")
final class Logs implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD")
  private String pod = "";

  @Parameters(index = "1", arity = "0..1", paramLabel = "CONTAINER", hidden = true)
  private @Nullable String positional;

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      description = "Which container (default: the pod's first).")
  private @Nullable String container;

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
  public Integer call() throws IOException {
    String name = Names.one(pod);
    String chosen = container != null ? container : positional != null ? positional : "";
    PodLogsRequest.Builder request =
        PodLogsRequest.newBuilder()
            .setNamespace(in.namespace)
            .setName(name)
            .setContainer(chosen)
            .setFollow(follow)
            .setPrevious(previous)
            .setSinceNs(sinceNanos());
    if (tail >= 0) {
      request.setTailLines(tail);
    }
    try (Daemon daemon = new Daemon(root)) {
      if (chosen.isEmpty()) {
        tellDefault(daemon, name);
      }
      Iterator<PodLogs> answers = daemon.pods().logs(request.build());
      boolean lineBegins = true;
      while (answers.hasNext()) {
        for (LogLine line : answers.next().getLinesList()) {
          if (timestamps && lineBegins) {
            System.out.print(time(line.getTimeNs()) + " ");
          }
          line.getText().writeTo(System.out);
          lineBegins = !line.getPartial();
          if (lineBegins) {
            System.out.write('\n');
          }
        }
        System.out.flush();
        if (System.out.checkError()) {
          return Main.FAILED;
        }
      }
    }
    return 0;
  }

  private void tellDefault(Daemon daemon, String name) {
    PodSummary summary =
        daemon
            .pods()
            .get(GetPodRequest.newBuilder().setNamespace(in.namespace).setName(name).build())
            .getSummary();
    var names =
        summary.getContainersList().stream()
            .filter(c -> !c.getInit())
            .map(ContainerSummary::getName)
            .toList();
    if (names.size() > 1) {
      System.err.println(
          "peapod: showing container \""
              + names.getFirst()
              + "\" of "
              + names.stream().collect(Collectors.joining(", "))
              + "; choose with -c");
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
