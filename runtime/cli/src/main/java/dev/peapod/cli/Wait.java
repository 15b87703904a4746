package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "wait",
    description = "Waits until pods and workloads are ready, gone, or at an end.")
final class Wait implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(
      arity = "0..*",
      paramLabel = "pod NAME",
      description = "pod NAME... or pod/NAME..., also of other kinds.")
  private List<String> words = List.of();

  @Option(
      names = "--for",
      required = true,
      paramLabel = "WHAT",
      description =
          "condition=NAME[=STATUS], jsonpath='{PATH}'[=VALUE], phase=NAME, create or delete.")
  private String what = "";

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "LABELS",
      description = "The pods with these labels.")
  private @Nullable String selector;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      description = "How long (default: 30s).")
  private String timeout = "30s";

  @Override
  public Integer call() {
    List<Names.Group> groups = Names.groups(words);
    List<Names.Group> documents = groups.stream().filter(g -> !g.isOfPods()).toList();
    if (!documents.isEmpty()) {
      return new WaitForDocuments(
              root, in.namespace, selector == null ? "" : selector, Goal.of(what))
          .run(groups, Texts.duration(timeout, "--timeout"));
    }
    List<String> names = Names.of(words);
    if (names.isEmpty() && selector == null) {
      throw new Failure("name pods, or use -l", Main.USAGE);
    }
    Goal goal = Goal.of(what);
    long deadline = System.nanoTime() + Texts.duration(timeout, "--timeout").toNanos();
    List<PodSelector> selectors = new ArrayList<>();
    if (names.isEmpty() && selector != null) {
      selectors.add(
          PodSelector.newBuilder().setNamespace(in.namespace).setLabels(selector).build());
    }
    for (String name : names) {
      selectors.add(PodSelector.newBuilder().setNamespace(in.namespace).setName(name).build());
    }
    try (Daemon daemon = new Daemon(root)) {
      for (PodSelector one : selectors) {
        if (goal instanceof Goal.Delete && isGone(daemon, one)) {
          continue;
        }
        Waiting.until(daemon, one, Duration.ofNanos(deadline - System.nanoTime()), goal);
        if (!one.getName().isEmpty()) {
          System.out.println(
              "pod/"
                  + one.getName()
                  + (goal instanceof Goal.Delete ? " deleted" : " condition met"));
          System.out.flush();
        }
      }
    }
    return 0;
  }

  private static boolean isGone(Daemon daemon, PodSelector selector) {
    return daemon
            .pods()
            .list(ListPodsRequest.newBuilder().setSelector(selector).build())
            .getPodsCount()
        == 0;
  }
}
