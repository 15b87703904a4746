package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodEvent;
import dev.peapod.proto.peapod.v1.PodEventsRequest;
import dev.peapod.proto.peapod.v1.PodSelector;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "events", description = "Shows what happened to pods and workloads.")
final class Events implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(
      arity = "0..*",
      paramLabel = "pod NAME",
      description = "pod NAME or pod/NAME, or of another kind, deployment/NAME (default: all).")
  private List<String> words = List.of();

  @Option(
      names = {"-w", "--watch"},
      description = "Go on with what happens.")
  private boolean watch;

  @Option(
      names = {"-A", "--all-namespaces"},
      description = "Of all namespaces.")
  private boolean allNamespaces;

  @Option(
      names = "--after",
      paramLabel = "NUMBER",
      defaultValue = "0",
      description = "Only what came after the event of this number.")
  private long after;

  @Option(names = "--numbers", description = "With the number of each event, for --after.")
  private boolean numbers;

  @Override
  public Integer call() {
    Names.Group group = Names.group(words);
    PodEventsRequest.Builder request =
        PodEventsRequest.newBuilder()
            .setAfterSequence(after)
            .setKind(group.kind())
            .setSelector(
                PodSelector.newBuilder()
                    .setNamespace(allNamespaces ? "" : in.namespace)
                    .setName(group.names().isEmpty() ? "" : group.names().getFirst()));
    try (Daemon daemon = new Daemon(root)) {
      Table table = table();
      long last = after;
      Iterator<PodEvent> past = daemon.pods().events(request.build());
      while (past.hasNext()) {
        PodEvent event = past.next();
        table.row(row(event));
        last = event.getSequence();
      }
      if (table.isEmpty() && !watch) {
        System.err.println("No events found.");
      } else {
        table.print(true, Screen.colours());
        System.out.flush();
      }
      if (watch) {
        Iterator<PodEvent> news =
            daemon.pods().events(request.setAfterSequence(last).setFollow(true).build());
        while (news.hasNext()) {
          table = table().alignedWith(table).row(row(news.next()));
          table.print(false, Screen.colours());
          System.out.flush();
          if (System.out.checkError()) {
            return Main.FAILED;
          }
        }
      }
      System.out.flush();
    }
    return 0;
  }

  private Table table() {
    return numbers
        ? new Table("NUMBER", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")
        : new Table("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE");
  }

  private List<String> row(PodEvent event) {
    String age = Texts.age(event.getLastNs());
    if (event.getCount() > 1) {
      age += " (x" + event.getCount() + " over " + Texts.age(event.getFirstNs()) + ")";
    }
    String object =
        (allNamespaces ? event.getNamespace() + "/" : "")
            + (event.getKind().isEmpty() ? "pod" : event.getKind().toLowerCase(Locale.ROOT))
            + "/"
            + event.getPod()
            + (event.getContainer().isEmpty() ? "" : "/" + event.getContainer());
    String message = event.getMessage().replaceAll("\\p{Cntrl}+", " ");
    return numbers
        ? List.of(
            Long.toString(event.getSequence()),
            age,
            event.getType(),
            event.getReason(),
            object,
            message)
        : List.of(age, event.getType(), event.getReason(), object, message);
  }
}
