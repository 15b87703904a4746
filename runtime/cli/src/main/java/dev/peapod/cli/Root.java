package dev.peapod.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

@Command(
    name = "peapod",
    description = "Runs Kubernetes pods on this machine, through peapodd.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = false,
    versionProvider = Version.Provider.class,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {"0:done", "1:failed", "2:wrong usage", "3:peapodd can not be reached"},
    commandListHeading = "%nCommands:%n")
final class Root implements Callable<Integer> {
  private static final String DEFAULT_SOCKET = "/run/peapod/peapod.sock";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description = "peapodd's socket; or PEAPOD_SOCKET (default: " + DEFAULT_SOCKET + ").")
  private @Nullable String socket;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Shows this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Shows the client's version.")
  private boolean version;

  String socket() {
    return socket(socket);
  }

  /// The socket's path.
  ///
  /// @param given by `--socket`; null where that is not there
  static String socket(@Nullable String given) {
    String path = given != null ? given : System.getenv("PEAPOD_SOCKET");
    if (path == null || path.isEmpty()) {
      return DEFAULT_SOCKET;
    }
    return path.startsWith("unix://") ? path.substring("unix://".length()) : path;
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(System.err);
    return Main.USAGE;
  }
}
