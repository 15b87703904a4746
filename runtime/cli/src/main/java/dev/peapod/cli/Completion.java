package dev.peapod.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
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
  private static final Predicate<String> KIND = label -> label.matches("(pod|KIND) .*");
  private static final Predicate<String> FILE = List.of("FILE", "PATH", "ARCHIVE")::contains;
  private static final Predicate<String> CONTAINER = "CONTAINER"::equals;
  private static final Predicate<String> FORMAT = "FORMAT"::equals;
  private static final String FORMATS = "wide json yaml name jsonpath=";
  private static final String KINDS = String.join(" ", Names.KINDS);
  private static final String CONTAINERS =
      "jsonpath={.spec.initContainers[*].name} {.spec.containers[*].name}";

  /// What picocli's script does not know follows from the words' labels, and names are asked of the daemon, if it answers.
  private static final String BASH =
      """

      function _complete_peapod_words() {
        _complete_peapod "$@"
        local word=${COMP_WORDS[COMP_CWORD]} namespace=default first= words= i
        if [[ ${#COMPREPLY[@]} -gt 0 || $word == -* ]]; then
          return
        fi
        for ((i = 2; i < COMP_CWORD; i++)); do
          case ${COMP_WORDS[i]} in
            --) return ;;
            -n|--namespace) namespace=${COMP_WORDS[++i]} ;;
            -*) case "${COMP_WORDS[1]} ${COMP_WORDS[i]}" in VALUES) ((++i)) ;; esac ;;
            *) first=${first:-${COMP_WORDS[i]}} ;;
          esac
        done
        case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
          FILES)
            type compopt &>/dev/null && compopt -o filenames
            words=$(compgen -f -- "$word") ;;
          FORMATTED) words="FORMATS" ;;
          IN_CONTAINERS) words=$(peapod get "pod/${first#pod/}" -n "$namespace" -o 'CONTAINERS' 2>/dev/null) ;;
          VALUES) return ;;
          *)
            case ${COMP_WORDS[1]} in
              OF_KINDS) ;;
              OF_PODS) [[ $word == pod/* ]] || first=pods ;;
              *) return ;;
            esac
            # After a kind come bare names, otherwise kinds, and names with their kinds.
            if [[ -z $first || $first == */* || $word == */* ]]; then
              words=$(peapod get all -n "$namespace" -o name 2>/dev/null)
              [[ -n $first || $word == */* ]] || words="KINDS $words"
            else
              words=$(peapod get "$first" -n "$namespace" -o name 2>/dev/null | sed 's,.*/,,')
            fi ;;
        esac
        COMPREPLY=($(compgen -W "$words" -- "$word"))
      }
      complete -F _complete_peapod_words -o default peapod
      """;

  private static final String FISH =
      """
      complete -c peapod -f
      function __peapod_words
          set -l words (commandline -opc)
          set -l namespace default
          set -l first
          set -l i 3
          while test $i -le (count $words)
              switch $words[$i]
                  case --
                      return
                  case -n --namespace
                      set i (math $i + 1)
                      test $i -le (count $words); and set namespace $words[$i]
                  case '-*'
                      contains -- "$words[2] $words[$i]" VALUES; and set i (math $i + 1)
                  case '*'
                      set -q first[1]; or set first $words[$i]
              end
              set i (math $i + 1)
          end
          switch $argv[1]
              case containers
                  peapod get pod/(string replace pod/ '' -- $first) -n $namespace -o 'CONTAINERS' 2>/dev/null | string split -n ' '
              case pods
                  peapod get pods -n $namespace -o name 2>/dev/null | string replace pod/ ''
              case kinds
                  if set -q first[1]; and not string match -q '*/*' -- $first
                      peapod get $first -n $namespace -o name 2>/dev/null | string replace -r '.*/' ''
                  else
                      set -q first[1]; or string split ' ' 'KINDS'
                      peapod get all -n $namespace -o name 2>/dev/null
                  end
          end
      end
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
      case bash, zsh -> AutoComplete.bash("peapod", all) + bash(all);
      case fish -> fish(all);
    };
  }

  private static String bash(CommandLine all) {
    return filled(
        BASH,
        Map.of(
            "FILES", options(all, FILE, "|"),
            "FORMATTED", options(all, FORMAT, "|"),
            "IN_CONTAINERS", options(all, CONTAINER, "|"),
            "VALUES", options(all, label -> true, "|"),
            "OF_KINDS", verbs(all, KIND, "|"),
            "OF_PODS", verbs(all, POD, "|")));
  }

  /// A script with the words in capitals that stand for what is put in.
  private static String filled(String script, Map<String, String> words) {
    String text = script;
    for (Map.Entry<String, String> word : words.entrySet()) {
      text = text.replaceAll("\\b" + word.getKey() + "\\b", Matcher.quoteReplacement(word.getValue()));
    }
    return text
        .replace("FORMATS", FORMATS)
        .replace("KINDS", KINDS)
        .replace("'CONTAINERS'", "'" + CONTAINERS + "'");
  }

  /// The verbs that have such a word.
  private static String verbs(CommandLine all, Predicate<String> label, String separator) {
    return all.getSubcommands().entrySet().stream()
        .filter(
            verb ->
                verb.getValue().getCommandSpec().positionalParameters().stream()
                    .anyMatch(parameter -> label.test(parameter.paramLabel())))
        .map(Map.Entry::getKey)
        .sorted()
        .collect(Collectors.joining(separator));
  }

  /// The options that are followed by such a value, each behind its verb.
  private static String options(CommandLine all, Predicate<String> label, String separator) {
    return all.getSubcommands().entrySet().stream()
        .flatMap(
            verb ->
                lines(verb.getValue())
                    .flatMap(line -> line.getCommandSpec().options().stream())
                    .filter(option -> takesValue(option) && label.test(option.paramLabel()))
                    .flatMap(option -> Stream.of(option.names()))
                    .map(name -> "'" + verb.getKey() + " " + name + "'"))
        .distinct()
        .sorted()
        .collect(Collectors.joining(separator));
  }

  private static Stream<CommandLine> lines(CommandLine verb) {
    return Stream.concat(Stream.of(verb), verb.getSubcommands().values().stream());
  }

  private static boolean takesValue(OptionSpec option) {
    return option.arity().max() > 0;
  }

  private static String fish(CommandLine all) {
    StringBuilder script =
        new StringBuilder(filled(FISH, Map.of("VALUES", options(all, label -> true, " "))));
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
              for (ArgSpec word : verb.getCommandSpec().positionalParameters()) {
                if (word.completionCandidates() != null) {
                  script.append("complete -c peapod").append(when).append(value(word)).append('\n');
                }
              }
              for (OptionSpec option : verb.getCommandSpec().options()) {
                script.append("complete -c peapod").append(when);
                for (String word : option.names()) {
                  script.append(
                      word.startsWith("--")
                          ? " -l " + word.substring(2)
                          : " -s " + word.substring(1));
                }
                script.append(takesValue(option) ? value(option) : "");
                script.append(" -d ").append(quoted(first(option.description()))).append('\n');
              }
            });
    script.append(names(verbs(all, POD, " "), "pods")).append(names(verbs(all, KIND, " "), "kinds"));
    return script.toString();
  }

  private static String value(ArgSpec option) {
    String label = option.paramLabel();
    Iterable<String> known = option.completionCandidates();
    if (known != null) {
      return " -x -a '" + String.join(" ", known) + "'";
    } else if (FILE.test(label)) {
      return " -r -F";
    } else if (FORMAT.test(label)) {
      return " -x -a '" + FORMATS + "'";
    }
    return CONTAINER.test(label) ? " -x -a '(__peapod_words containers)'" : " -x";
  }

  private static String names(String verbs, String what) {
    return "complete -c peapod -n '__fish_seen_subcommand_from %s' -a '(__peapod_words %s)'%n"
        .formatted(verbs, what);
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
