package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodExecStart;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "attach",
    description = "Shows what a container's main process writes from now on, and feeds it.",
    footer = {"", "With -t, Ctrl-P Ctrl-Q lets go of the terminal; the container runs on."})
final class Attach implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private OneContainer in = new OneContainer();

  @Option(
      names = {"-i", "--stdin"},
      description = "Pass the input on (the container's manifest must say stdin).")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "Use this terminal as the container's (its manifest must say tty).")
  private boolean tty;

  @Override
  public Integer call() throws IOException, InterruptedException {
    boolean terminal = tty && Screen.inIsTerminal();
    if (tty && !terminal) {
      Main.complain("the input is not a terminal; going on without one");
    }
    PodExecStart start =
        PodExecStart.newBuilder()
            .setNamespace(in.pod.namespace())
            .setName(in.pod.name())
            .setContainer(in.container)
            .setStdin(stdin)
            .setTty(terminal)
            .build();
    try (Daemon daemon = new Daemon(root)) {
      return new RemoteCommand(daemon.podsAsync()::attach, start).runHere(stdin, terminal, true);
    }
  }
}
