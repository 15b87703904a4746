package dev.peapod.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// `peapod`. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the daemon can not be reached.
public final class Main {
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int UNREACHABLE = 3;

  /// Looking at a verb's class costs time; only the one that is called is looked at.
  private static final Map<String, Supplier<Object>> VERBS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("apply", Apply::new),
              Map.entry("attach", Attach::new),
              Map.entry("completion", Completion::new),
              Map.entry("cp", Copy::new),
              Map.entry("debug", Debug::new),
              Map.entry("delete", Delete::new),
              Map.entry("describe", Describe::new),
              Map.entry("events", Events::new),
              Map.entry("exec", Exec::new),
              Map.entry("explain", Explain::new),
              Map.entry("generate", Generate::new),
              Map.entry("get", Get::new),
              Map.entry("image", ImageVerbs::new),
              Map.entry("logs", Logs::new),
              Map.entry("port-forward", PortForward::new),
              Map.entry("restart", Restart::new),
              Map.entry("rollout", Rollouts::new),
              Map.entry("scale", Scale::new),
              Map.entry("signal", Signal::new),
              Map.entry("top", Top::new),
              Map.entry("version", Version::new),
              Map.entry("wait", Wait::new)));

  private Main() {}

  public static void main(String[] arguments) {
    // Buffered by whole answers, not by lines.
    System.setOut(
        new PrintStream(
            new java.io.BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
            false,
            StandardCharsets.UTF_8));
    if (needsDaemon(arguments)) {
      Daemon.connectAhead(Root.socket(socket(arguments)));
    }
    int code = run(arguments);
    System.out.flush();
    if (System.out.checkError() && code == 0) {
      code = FAILED;
    }
    // Nothing that may still wind down is waited for.
    Runtime.getRuntime().halt(code);
  }

  static int run(String... arguments) {
    CommandLine line = line(verb(arguments));
    return line.execute(arguments);
  }

  /// The command line with one verb, or with all of them if `only` is none.
  static CommandLine line(String only) {
    CommandLine line = new CommandLine(new Root());
    VERBS.forEach(
        (name, verb) -> {
          if (!VERBS.containsKey(only) || name.equals(only)) {
            line.addSubcommand(name, verb.get());
          }
        });
    line.setParameterExceptionHandler(Main::wrongUsage);
    line.setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
    line.setExpandAtFiles(false);
    line.setAbbreviatedOptionsAllowed(false);
    line.getSubcommands().values().forEach(sub -> sub.setExpandAtFiles(false));
    return line;
  }

  private static boolean needsDaemon(String[] arguments) {
    String verb = verb(arguments);
    return VERBS.containsKey(verb)
        && !verb.equals("completion")
        && !List.of(arguments).contains("--help");
  }

  /// What is likely to be found as `--socket`'s value; another one is connected to when it is known.
  private static @Nullable String socket(String[] arguments) {
    for (int i = 0; i < arguments.length && !arguments[i].equals("--"); i++) {
      if (arguments[i].equals("--socket") && i + 1 < arguments.length) {
        return arguments[i + 1];
      }
      if (arguments[i].startsWith("--socket=")) {
        return arguments[i].substring("--socket=".length());
      }
    }
    return null;
  }

  /// The first argument that is no option; `--socket` takes the one after it.
  private static String verb(String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--socket")) {
        i++;
      } else if (!arguments[i].startsWith("-")) {
        return arguments[i];
      }
    }
    return "";
  }

  private static int wrongUsage(CommandLine.ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String message = e.getMessage() == null ? "wrong usage" : e.getMessage();
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched
        && command.getParent() == null
        && !unmatched.isUnknownOption()) {
      message = "unknown command \"" + unmatched.getUnmatched().getFirst() + "\"";
    }
    if (e instanceof CommandLine.MissingParameterException) {
      // A wrong option is the clearer news.
      message =
          unknownOption(command, arguments).map(o -> "unknown option: '" + o + "'").orElse(message);
    }
    complain(lowered(message) + " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return USAGE;
  }

  /// The first word that looks like an option and is none of the command's.
  private static Optional<String> unknownOption(CommandLine command, String[] arguments) {
    return Arrays.stream(arguments)
        .takeWhile(word -> !word.equals("--"))
        .filter(word -> word.startsWith("-") && word.length() > 1)
        // Short ones come in clusters and with their values.
        .map(word -> word.startsWith("--") ? word.replaceFirst("=.*", "") : word.substring(0, 2))
        .filter(name -> !isOption(name, command))
        .findFirst();
  }

  private static boolean isOption(String name, CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    return spec.optionsMap().containsKey(name)
        || spec.negatedOptionsMap().containsKey(name)
        || (command.getParent() != null && isOption(name, command.getParent()));
  }

  private static String lowered(String message) {
    return Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }

  private static int failed(Exception e, CommandLine command) {
    System.out.flush();
    switch (e) {
      case Failure failure -> {
        complain(failure.text());
        return failure.code();
      }
      case StatusRuntimeException status -> {
        return failed(status, command);
      }
      default -> {
        complain(e.getMessage() == null ? e.toString() : e.getMessage());
        return FAILED;
      }
    }
  }

  private static int failed(StatusRuntimeException e, CommandLine command) {
    Status status = e.getStatus();
    String text =
        status.getDescription() == null ? status.getCode().name() : status.getDescription();
    if (status.getCode() == Status.Code.UNAVAILABLE && status.getCause() instanceof IOException) {
      CommandLine top = command;
      while (top.getParent() != null) {
        top = top.getParent();
      }
      Root root = (Root) top.getCommand();
      complain(
          "can not reach peapodd on "
              + root.socket()
              + ": "
              + Daemon.reason(root.socket(), status.getCause()));
      return UNREACHABLE;
    }
    if (status.getCode() == Status.Code.UNIMPLEMENTED && status.getDescription() == null) {
      text = "this peapodd does not know the request; it may be older than this peapod";
    }
    complain(text);
    return FAILED;
  }

  /// Prints an error, each line marked as ours.
  static void complain(String text) {
    System.out.flush();
    text.lines().forEach(line -> System.err.println("peapod: " + line));
    System.err.flush();
  }
}
