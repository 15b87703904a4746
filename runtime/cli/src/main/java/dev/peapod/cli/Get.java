package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ContainerSummary;
import dev.peapod.proto.peapod.v1.GetPodRequest;
import dev.peapod.proto.peapod.v1.ListObjectsResponse;
import dev.peapod.proto.peapod.v1.ListPodsRequest;
import dev.peapod.proto.peapod.v1.ListPodsResponse;
import dev.peapod.proto.peapod.v1.Pod;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.StoredObject;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "get", description = "Lists pods and other documents, or shows them as objects.")
final class Get implements Callable<Integer> {
  enum Output {
    table,
    wide,
    json,
    yaml,
    name,
    jsonpath
  }

  /// What `all` means.
  private static final List<String> ALL =
      List.of("pods", "services", "daemonsets", "deployments", "replicasets", "cronjobs", "jobs");

  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(
      arity = "1..*",
      paramLabel = "KIND [NAME...]",
      description =
          "pods for all, pod NAME or pod/NAME for some; also configmaps (cm), secrets,"
              + " persistentvolumeclaims (pvc), services (svc), deployments (deploy), replicasets"
              + " (rs), daemonsets (ds), jobs and cronjobs (cj); all for pods, services and"
              + " workloads.")
  private List<String> words = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "wide, json, yaml, name or jsonpath=TEMPLATE.")
  private String format = "table";

  @Option(
      names = {"-w", "--watch"},
      description = "Go on with what changes.")
  private boolean watch;

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "LABELS",
      defaultValue = "",
      description = "Only pods with these labels, such as app=web,tier!=cache.")
  private String selector = "";

  @Option(
      names = {"-A", "--all-namespaces"},
      description = "Pods of all namespaces.")
  private boolean allNamespaces;

  @Option(names = "--no-headers", description = "No title line.")
  private boolean noHeaders;

  private Output output = Output.table;
  private int code;
  private boolean everything;
  private boolean anything;
  private String template = "";
  private final Map<String, List<String>> shown = new HashMap<>();
  private Table printed = new Table();

  @Override
  public Integer call() {
    output();
    try (Daemon daemon = new Daemon(root)) {
      for (Names.Group group : groups()) {
        if (group.isOfPods()) {
          pods(daemon, group.names());
        } else {
          ifThere(() -> documents(daemon, group));
        }
      }
    }
    return code;
  }

  /// Shows something; that it is not there does not keep the rest from being shown.
  private void ifThere(Runnable show) {
    try {
      show.run();
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
        throw e;
      }
      Main.complain(String.valueOf(e.getStatus().getDescription()));
      code = Main.FAILED;
    }
  }

  private List<Names.Group> groups() {
    if (!words.equals(List.of("all"))) {
      return Names.groups(words);
    }
    if (watch || (output != Output.table && output != Output.wide && output != Output.name)) {
      throw new Failure("all kinds at once come as tables or names alone", Main.USAGE);
    }
    everything = true;
    return ALL.stream().map(kind -> new Names.Group(kind, List.of())).toList();
  }

  private void output() {
    String word = format.replaceFirst("=.*", "");
    try {
      output = Output.valueOf(word);
    } catch (IllegalArgumentException e) {
      throw new Failure("--output must be wide, json, yaml, name or jsonpath=TEMPLATE", Main.USAGE);
    }
    if (output == Output.jsonpath) {
      template = format.substring(Math.min(format.length(), "jsonpath=".length()));
      if (template.isEmpty()) {
        throw new Failure(
            "jsonpath needs a template, such as jsonpath='{.status.podIP}'", Main.USAGE);
      }
    }
  }

  /// Between two tables there is an empty line.
  private boolean begins(boolean any) {
    if (any && anything) {
      System.out.println();
    }
    anything |= any;
    return any;
  }

  private void documents(Daemon daemon, Names.Group group) {
    Documents documents = new Documents(daemon, allNamespaces ? "" : in.namespace, selector);
    if (watch) {
      if (output == Output.jsonpath) {
        throw new Failure("only pods can be watched with jsonpath", Main.USAGE);
      }
      documents.follow(group, view(), output == Output.wide, !noHeaders);
      return;
    }
    ListObjectsResponse found = documents.list(group, view(), template);
    List<String> texts = found.getObjectsList().stream().map(StoredObject::getText).toList();
    boolean single = group.names().size() == 1;
    switch (output) {
      case table, wide -> {
        if (!everything || begins(!texts.isEmpty())) {
          documents.table(found, output == Output.wide, !noHeaders, everything);
        }
      }
      case name ->
          found
              .getObjectsList()
              .forEach(object -> System.out.println(found.getKind() + "/" + object.getName()));
      case jsonpath -> {
        if (group.names().isEmpty()) {
          System.out.print(found.getText());
        } else {
          texts.forEach(System.out::print);
        }
      }
      case json -> System.out.print(single ? texts.getFirst() : jsonList(texts));
      case yaml -> System.out.print(single ? texts.getFirst() : yamlList(texts));
    }
    System.out.flush();
  }

  private void pods(Daemon daemon, List<String> names) {
    if (names.isEmpty()) {
      ListPodsResponse response =
          daemon
              .pods()
              .list(
                  ListPodsRequest.newBuilder()
                      .setSelector(selector(""))
                      .setView(view())
                      .setTemplate(template)
                      .build());
      if (output == Output.jsonpath) {
        System.out.print(response.getText());
        System.out.flush();
      } else {
        print(response.getPodsList(), false);
      }
      if (watch) {
        follow(daemon, "", response.getRevision());
      }
      return;
    }
    List<Pod> pods = new ArrayList<>();
    names.forEach(name -> ifThere(() -> pods.add(pod(daemon, name))));
    if (pods.isEmpty()) {
      return;
    }
    print(pods, names.size() == 1);
    if (watch) {
      if (names.size() > 1) {
        throw new Failure("only one pod or all of them can be watched", Main.USAGE);
      }
      follow(daemon, names.getFirst(), pods.getFirst().getSummary().getRevision());
    }
  }

  private Pod pod(Daemon daemon, String name) {
    return daemon
        .pods()
        .get(
            GetPodRequest.newBuilder()
                .setNamespace(in.namespace)
                .setName(name)
                .setView(view())
                .setTemplate(template)
                .build());
  }

  private PodSelector selector(String name) {
    return PodSelector.newBuilder()
        .setNamespace(allNamespaces ? "" : in.namespace)
        .setName(name)
        .setLabels(selector)
        .build();
  }

  private PodView view() {
    return switch (output) {
      case jsonpath -> PodView.POD_VIEW_JSONPATH;
      case json -> PodView.POD_VIEW_JSON;
      case yaml -> PodView.POD_VIEW_YAML;
      case table, wide, name -> PodView.POD_VIEW_SUMMARY;
    };
  }

  private void print(List<Pod> pods, boolean single) {
    switch (output) {
      case table, wide -> {
        Table table = table();
        for (Pod pod : pods) {
          List<String> row = row(pod.getSummary());
          table.row(row);
          shown.put(pod.getSummary().getUid(), row);
        }
        printed = table;
        if (everything && !begins(!table.isEmpty())) {
          return;
        }
        if (table.isEmpty() && !watch) {
          System.err.println(
              allNamespaces
                  ? "No pods found."
                  : "No pods found in namespace " + in.namespace + ".");
        } else if (!table.isEmpty()) {
          table.print(!noHeaders, Screen.colours());
        }
      }
      case name -> pods.forEach(pod -> System.out.println("pod/" + pod.getSummary().getName()));
      case jsonpath -> pods.forEach(pod -> System.out.print(pod.getText()));
      case json -> System.out.print(single ? pods.getFirst().getText() : jsonList(texts(pods)));
      case yaml -> System.out.print(single ? pods.getFirst().getText() : yamlList(texts(pods)));
    }
    System.out.flush();
  }

  private static List<String> texts(List<Pod> pods) {
    return pods.stream().map(Pod::getText).toList();
  }

  private static String jsonList(List<String> texts) {
    String items =
        texts.stream()
            .map(text -> text.strip().indent(8).stripTrailing())
            .collect(Collectors.joining(",\n"));
    return "{\n    \"apiVersion\": \"v1\",\n    \"items\": ["
        + (texts.isEmpty() ? "" : "\n" + items + "\n    ")
        + "],\n    \"kind\": \"List\"\n}\n";
  }

  private static String yamlList(List<String> texts) {
    if (texts.isEmpty()) {
      return "apiVersion: v1\nitems: []\nkind: List\n";
    }
    String items =
        texts.stream()
            .map(text -> "- " + text.strip().indent(2).strip() + "\n")
            .collect(Collectors.joining());
    return "apiVersion: v1\nitems:\n" + items + "kind: List\n";
  }

  private Table table() {
    List<String> titles = new ArrayList<>();
    if (allNamespaces) {
      titles.add("NAMESPACE");
    }
    titles.addAll(List.of("NAME", "READY", "STATUS", "RESTARTS", "AGE"));
    if (output == Output.wide) {
      titles.addAll(List.of("IP", "IMAGES"));
    }
    return new Table(titles.toArray(String[]::new));
  }

  private List<String> row(PodSummary pod) {
    List<String> cells = new ArrayList<>();
    if (allNamespaces) {
      cells.add(pod.getNamespace());
    }
    String restarts =
        pod.getRestarts() == 0 || pod.getLastRestartNs() == 0
            ? Integer.toString(pod.getRestarts())
            : pod.getRestarts() + " (" + Texts.age(pod.getLastRestartNs()) + " ago)";
    cells.addAll(
        List.of(
            (everything ? "pod/" : "") + pod.getName(),
            pod.getReadyContainers() + "/" + pod.getTotalContainers(),
            pod.getStatus(),
            restarts,
            Texts.age(pod.getCreatedNs())));
    if (output == Output.wide) {
      cells.add(pod.getIpsCount() == 0 ? "<none>" : String.join(",", pod.getIpsList()));
      cells.add(
          pod.getContainersList().stream()
              .filter(c -> !c.getInit() && !c.getEphemeral())
              .map(ContainerSummary::getImage)
              .collect(Collectors.joining(",")));
    }
    return cells;
  }

  private void follow(Daemon daemon, String name, long revision) {
    long after = revision;
    while (true) {
      try {
        Iterator<PodChange> changes =
            daemon
                .pods()
                .watch(
                    WatchPodsRequest.newBuilder()
                        .setSelector(selector(name))
                        .setView(view())
                        .setTemplate(template)
                        .setAfterRevision(after)
                        .build());
        while (changes.hasNext()) {
          PodChange change = changes.next();
          after = change.getRevision();
          if (change.getType() != PodChange.Type.BOOKMARK) {
            print(change.getPod());
          }
        }
        return;
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.OUT_OF_RANGE) {
          throw e;
        }
        after = 0;
      }
    }
  }

  private void print(Pod pod) {
    switch (output) {
      case table, wide -> {
        List<String> row = row(pod.getSummary());
        // A pod's conditions may change without a change in its row.
        if (!row.equals(shown.put(pod.getSummary().getUid(), row))) {
          boolean first = printed.isEmpty();
          printed = table().alignedWith(printed).row(row);
          printed.print(first && !noHeaders, Screen.colours());
        }
      }
      case name -> System.out.println("pod/" + pod.getSummary().getName());
      case json, jsonpath -> System.out.print(pod.getText());
      case yaml -> System.out.print("---\n" + pod.getText());
    }
    System.out.flush();
  }
}
