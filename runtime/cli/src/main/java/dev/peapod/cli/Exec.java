package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.PodExecStart;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "exec",
    description = "Runs a command in a container; its exit code becomes that of peapod.",
    footer = {
      "",
      "A shell:      peapod exec -it web -- sh",
      "With input:   peapod exec -i web -c app -- tee /tmp/file <file"
    })
final class Exec implements Callable<Integer> {
  @ParentCommand private Root root = new Root();
  @Mixin private OneContainer in = new OneContainer();

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "-- COMMAND")
  private List<String> command = List.of();

  @Option(
      names = {"-i", "--stdin"},
      description = "Pass the input on.")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "Give the command this terminal.")
  private boolean tty;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description = "Kill the command after that time.")
  private @Nullable String timeout;

  @Override
  public Integer call() throws IOException, InterruptedException {
    long seconds =
        timeout == null ? 0 : Math.max(1, Texts.duration(timeout, "--timeout").toSeconds());
    boolean terminal = tty && Screen.inIsTerminal();
    if (tty && !terminal) {
      Main.complain("the input is not a terminal; the command gets none");
    }
    PodExecStart start =
        PodExecStart.newBuilder()
            .setNamespace(in.pod.namespace())
            .setName(in.pod.name())
            .setContainer(in.container)
            .addAllCommand(command)
            .setStdin(stdin)
            .setTty(terminal)
            .setTimeoutSeconds(seconds)
            .build();
    try (Daemon daemon = new Daemon(root)) {
      return new RemoteCommand(daemon.podsAsync()::exec, start).runHere(stdin, terminal, false);
    }
  }
}
