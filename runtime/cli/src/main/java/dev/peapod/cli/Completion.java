package dev.peapod.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;

@Command(
    name = "completion",
    description = "Prints a script with which a shell completes peapod's words.",
    footer = {
      "",
      "bash:  source <(peapod completion bash)",
      "fish:  peapod completion fish | source"
    })
final class Completion implements Callable<Integer> {
  enum Shell {
    bash,
    zsh,
    fish
  }

  @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
  private Shell shell = Shell.bash;

  @Override
  public Integer call() {
    CommandLine all = Main.line("");
    System.out.print(
        switch (shell) {
          // One script for both: it has zsh emulate bash's completion.
          case bash, zsh -> AutoComplete.bash("peapod", all);
          case fish -> fish(all);
        });
    return 0;
  }

  private static String fish(CommandLine all) {
    StringBuilder script = new StringBuilder("complete -c peapod -f\n");
    all.getSubcommands()
        .forEach(
            (name, verb) -> {
              script.append("complete -c peapod -n __fish_use_subcommand -a ").append(name);
              script.append(" -d ").append(quoted(summary(verb.getCommandSpec()))).append('\n');
              String when = " -n '__fish_seen_subcommand_from " + name + "'";
              verb.getSubcommands()
                  .forEach(
                      (sub, line) ->
                          script
                              .append("complete -c peapod")
                              .append(when)
                              .append(" -a ")
                              .append(sub)
                              .append(" -d ")
                              .append(quoted(summary(line.getCommandSpec())))
                              .append('\n'));
              for (OptionSpec option : verb.getCommandSpec().options()) {
                script.append("complete -c peapod").append(when);
                for (String word : option.names()) {
                  script.append(
                      word.startsWith("--")
                          ? " -l " + word.substring(2)
                          : " -s " + word.substring(1));
                }
                script.append(option.arity().max() > 0 ? " -r -F" : "");
                script.append(" -d ").append(quoted(first(option.description()))).append('\n');
              }
            });
    return script.toString();
  }

  private static String summary(CommandSpec spec) {
    return first(spec.usageMessage().description());
  }

  private static String first(String[] lines) {
    return lines.length == 0 ? "" : lines[0];
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
