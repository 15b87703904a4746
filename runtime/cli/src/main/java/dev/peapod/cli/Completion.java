package dev.peapod.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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
      "zsh:   source <(peapod completion zsh)",
      "fish:  peapod completion fish | source"
    })
final class Completion implements Callable<Integer> {
  enum Shell {
    bash,
    zsh,
    fish
  }

  private static final Predicate<String> POD = "POD"::equals;
  private static final Predicate<String> KIND = word -> word.matches("(pod|KIND) .*");

  /// What picocli's script does not know is asked of the daemon, if it answers.
  private static final String POD_NAMES =
      """

      function _complete_peapod_names() {
        _complete_peapod "$@"
        local word=${COMP_WORDS[COMP_CWORD]} namespace=default kind= names i
        if [[ ${#COMPREPLY[@]} -gt 0 || $word == -* ]]; then
          return
        fi
        for ((i = 2; i < COMP_CWORD; i++)); do
          case ${COMP_WORDS[i]} in
            --) return ;;
            -n|--namespace) namespace=${COMP_WORDS[++i]} ;;
            -*) ;;
            *) kind=${kind:-${COMP_WORDS[i]}} ;;
          esac
        done
        case ${COMP_WORDS[1]} in
          %s) ;;
          %s) [[ $word == pod/* ]] || kind=pods ;;
          *) return ;;
        esac
        # After a kind come bare names, otherwise names with their kinds.
        if [[ -z $kind || $kind == */* || $word == */* ]]; then
          names=$(peapod get all -n "$namespace" -o name 2>/dev/null)
        else
          names=$(peapod get "$kind" -n "$namespace" -o name 2>/dev/null | sed 's,.*/,,')
        fi
        COMPREPLY=($(compgen -W "$names" -- "$word"))
      }
      complete -F _complete_peapod_names -o default peapod
      """;

  @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
  private Shell shell = Shell.bash;

  @Override
  public Integer call() {
    System.out.print(script(shell));
    return 0;
  }

  static String script(Shell shell) {
    CommandLine all = Main.line("");
    return switch (shell) {
      // One script for both: it has zsh emulate bash's completion.
      case bash, zsh -> AutoComplete.bash("peapod", all) + POD_NAMES.formatted(verbs(all, KIND), verbs(all, POD));
      case fish -> fish(all);
    };
  }

  /// The verbs that have such a word, as a shell's pattern.
  private static String verbs(CommandLine all, Predicate<String> word) {
    return all.getSubcommands().entrySet().stream()
        .filter(
            verb ->
                verb.getValue().getCommandSpec().positionalParameters().stream()
                    .anyMatch(parameter -> word.test(parameter.paramLabel())))
        .map(Map.Entry::getKey)
        .sorted()
        .collect(Collectors.joining("|"));
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
    script
        .append("complete -c peapod -n '__fish_seen_subcommand_from ")
        .append(verbs(all, POD).replace('|', ' '))
        .append("' -a '(peapod get pods -o name 2>/dev/null | string replace pod/ \"\")'\n");
    script
        .append("complete -c peapod -n '__fish_seen_subcommand_from ")
        .append(verbs(all, KIND).replace('|', ' '))
        .append("' -a '(peapod get all -o name 2>/dev/null)'\n");
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
