package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.ObjectChange;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodView;
import dev.peapod.proto.peapod.v1.RestartRolloutRequest;
import dev.peapod.proto.peapod.v1.RolloutHistoryRequest;
import dev.peapod.proto.peapod.v1.RolloutHistoryResponse;
import dev.peapod.proto.peapod.v1.RolloutProgress;
import dev.peapod.proto.peapod.v1.RolloutRevision;
import dev.peapod.proto.peapod.v1.UndoRolloutRequest;
import dev.peapod.proto.peapod.v1.UndoRolloutResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "rollout",
    description = "Follows, repeats and takes back the rollout of a deployment or daemonset.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      Rollouts.Status.class,
      Rollouts.Restart.class,
      Rollouts.History.class,
      Rollouts.Undo.class
    })
final class Rollouts implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    spec.commandLine().usage(System.err);
    return Main.USAGE;
  }

  /// The words that say whose rollout; at least one.
  static final class Rolled {
    @Mixin private Namespaced in = new Namespaced();

    @Parameters(
        arity = "1..*",
        paramLabel = "deployment/NAME",
        description = "deployment/NAME or daemonset/NAME.")
    private List<String> words = List.of();

    String namespace() {
      return in.namespace;
    }

    /// Does it for each of them; what is printed of one is seen before the next.
    void each(Root root, Action action) {
      try (Daemon daemon = new Daemon(root)) {
        for (Names.Group group : groups()) {
          for (String name : group.names()) {
            action.of(daemon, group.kind(), name);
            System.out.flush();
          }
        }
      }
    }

    private List<Names.Group> groups() {
      List<Names.Group> groups = Names.groups(words);
      if (groups.stream().anyMatch(group -> group.names().isEmpty())) {
        throw new Failure("name a deployment, such as deployment/web", Main.USAGE);
      }
      return groups;
    }
  }

  @FunctionalInterface
  private interface Action {
    void of(Daemon daemon, String kind, String name);
  }

  @Command(name = "status", description = "Waits until a rollout is through.")
  static final class Status implements Callable<Integer> {
    @ParentCommand private Rollouts above = new Rollouts();
    @Mixin private Rolled rolled = new Rolled();

    @Option(
        names = {"-w", "--watch"},
        negatable = true,
        defaultValue = "true",
        fallbackValue = "true",
        description = "Wait for it (default); --no-watch: say how it stands.")
    private boolean watch = true;

    @Option(
        names = "--timeout",
        paramLabel = "TIME",
        defaultValue = "365d",
        description = "How long (default: without end).")
    private String timeout = "365d";

    @Override
    public Integer call() {
      long end = System.nanoTime() + Texts.duration(timeout, "--timeout").toNanos();
      rolled.each(
          above.root,
          (daemon, kind, name) -> {
            Duration patience = Duration.ofNanos(end - System.nanoTime());
            follow(daemon, rolled.namespace(), kind, name, patience, watch);
          });
      return 0;
    }
  }

  /// Waits for a rollout, telling how far it is.
  ///
  /// @throws Failure if it does not get on
  static void follow(
      Daemon daemon,
      String namespace,
      String kind,
      String name,
      Duration patience,
      boolean toTheEnd) {
    String[] last = {""};
    new Documents(daemon, namespace, "")
        .watch(
            kind,
            name,
            PodView.POD_VIEW_SUMMARY,
            patience,
            change -> see(change, kind + "/" + name, last) || !toTheEnd);
  }

  private static boolean see(ObjectChange change, String what, String[] last) {
    if (!change.hasObject()) {
      if (last[0].isEmpty()) {
        throw new Failure(what + " not found");
      }
      return false;
    }
    if (change.getType() == PodChange.Type.DELETED) {
      throw new Failure(what + " was deleted meanwhile");
    }
    if (!change.getObject().hasRollout()) {
      throw new Failure(change.getKind() + "s are not rolled out", Main.USAGE);
    }
    RolloutProgress progress = change.getObject().getRollout();
    if (progress.getFailed()) {
      throw new Failure(progress.getMessage());
    }
    if (!progress.getMessage().equals(last[0])) {
      System.out.println(progress.getMessage());
      System.out.flush();
      last[0] = progress.getMessage();
    }
    return progress.getDone();
  }

  @Command(name = "restart", description = "Has all pods made anew, as a rollout.")
  static final class Restart implements Callable<Integer> {
    @ParentCommand private Rollouts above = new Rollouts();
    @Mixin private Rolled rolled = new Rolled();

    @Override
    public Integer call() {
      rolled.each(
          above.root,
          (daemon, kind, name) -> {
            String singular =
                daemon
                    .pods()
                    .restartRollout(
                        RestartRolloutRequest.newBuilder()
                            .setKind(kind)
                            .setNamespace(rolled.namespace())
                            .setName(name)
                            .build())
                    .getKind();
            System.out.println(singular + "/" + name + " restarted");
          });
      return 0;
    }
  }

  @Command(name = "history", description = "Shows the templates that a deployment has had.")
  static final class History implements Callable<Integer> {
    @ParentCommand private Rollouts above = new Rollouts();
    @Mixin private Rolled rolled = new Rolled();

    @Option(
        names = "--revision",
        paramLabel = "NUMBER",
        defaultValue = "0",
        description = "This one at length.")
    private long revision;

    @Override
    public Integer call() {
      rolled.each(
          above.root,
          (daemon, kind, name) -> {
            RolloutHistoryResponse history =
                daemon
                    .pods()
                    .rolloutHistory(
                        RolloutHistoryRequest.newBuilder()
                            .setKind(kind)
                            .setNamespace(rolled.namespace())
                            .setName(name)
                            .build());
            print(history, history.getKind() + "/" + name);
          });
      return 0;
    }

    private void print(RolloutHistoryResponse history, String what) {
      if (revision == 0) {
        System.out.println(what);
        Table table = new Table("REVISION", "CHANGE-CAUSE");
        for (RolloutRevision one : history.getRevisionsList()) {
          String cause = one.getCause().isEmpty() ? "<none>" : one.getCause();
          table.row(List.of(Long.toString(one.getNumber()), cause));
        }
        table.print(true, Screen.colours());
        return;
      }
      RolloutRevision one =
          history.getRevisionsList().stream()
              .filter(r -> r.getNumber() == revision)
              .findFirst()
              .orElseThrow(
                  () -> new Failure("unable to find specified revision " + revision + " in history"));
      System.out.println(what + " with revision #" + revision);
      System.out.print(one.getText());
    }
  }

  @Command(name = "undo", description = "Gives a deployment an earlier template again.")
  static final class Undo implements Callable<Integer> {
    @ParentCommand private Rollouts above = new Rollouts();
    @Mixin private Rolled rolled = new Rolled();

    @Option(
        names = "--to-revision",
        paramLabel = "NUMBER",
        defaultValue = "0",
        description = "Which, as history numbers them (default: the one before the latest).")
    private long revision;

    @Override
    public Integer call() {
      rolled.each(
          above.root,
          (daemon, kind, name) -> {
            UndoRolloutResponse undone =
                daemon
                    .pods()
                    .undoRollout(
                        UndoRolloutRequest.newBuilder()
                            .setKind(kind)
                            .setNamespace(rolled.namespace())
                            .setName(name)
                            .setToRevision(revision)
                            .build());
            System.out.println(
                undone.getKind()
                    + "/"
                    + name
                    + (undone.getUnchanged()
                        ? " skipped rollback (current template already matches revision "
                            + undone.getRevision()
                            + ")"
                        : " rolled back"));
          });
      return 0;
    }
  }
}
