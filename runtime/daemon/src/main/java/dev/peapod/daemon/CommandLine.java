package dev.peapod.daemon;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// What `peapodd` was called to do.
///
/// Parsed by hand from the table of [Setting]s: a library for it would take a third of the time until the daemon is ready.
sealed interface CommandLine {
  /// Run the daemon.
  record Run(Config config) implements CommandLine {}

  /// Print a text and end.
  record Print(String text) implements CommandLine {}

  /// Understands the arguments and reads the configuration file they name.
  ///
  /// @throws PeapodException INVALID for what can not be understood, with the flag or the line of the file
  static CommandLine parse(List<String> arguments) {
    if (arguments.equals(List.of("config", "default"))) {
      return new Print(defaultConfig());
    }
    Settings settings = new Settings();
    Optional<Path> file = Optional.empty();
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      switch (argument) {
        case "--help", "-h", "help" -> {
          return new Print(help());
        }
        case "--version" -> {
          return new Print("peapodd " + version() + "\n");
        }
        default -> {
          // What follows reads flags.
        }
      }
      if (!argument.startsWith("--")) {
        throw PeapodException.invalid(
            "unexpected argument \"" + argument + "\"; see peapodd --help");
      }
      int equals = argument.indexOf('=');
      String name = argument.substring(2, equals < 0 ? argument.length() : equals);
      if (!name.equals("config") && Setting.ofKey(name).isEmpty()) {
        throw PeapodException.invalid("unknown flag --" + name + "; see peapodd --help");
      }
      if (equals < 0 && ++i == arguments.size()) {
        throw PeapodException.invalid("--" + name + " needs a value");
      }
      String value = equals < 0 ? arguments.get(i) : argument.substring(equals + 1);
      if (name.equals("config")) {
        file = Optional.of(Path.of(value));
      } else {
        settings.addFlag(Setting.ofKey(name).orElseThrow(), value);
      }
    }
    if (file.isPresent()) {
      settings.readFile(file.get());
    } else if (Files.exists(Config.DEFAULT_FILE)) {
      settings.readFile(Config.DEFAULT_FILE);
    }
    return new Run(Config.of(settings, file.orElse(Config.DEFAULT_FILE)));
  }

  /// The version of this build.
  static String version() {
    try (InputStream version =
        Objects.requireNonNull(CommandLine.class.getResourceAsStream("version"))) {
      return new String(version.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw PeapodException.internal("can not read the version from the jar", e);
    }
  }

  private static String help() {
    StringBuilder help =
        new StringBuilder(
            """
            peapodd: runs Kubernetes-style pods on this machine.

            usage: peapodd [flags]            run in the foreground until SIGTERM
                   peapodd config default     print the default configuration, every key explained
                   peapodd --version | --help

            Flags; each is also a key of the configuration file, and the flag counts:
              --config FILE
                  Configuration file. Default: %s, if it exists.
            """
                .formatted(Config.DEFAULT_FILE));
    for (Setting setting : Setting.values()) {
      help.append("  --%s %s%n".formatted(setting.key(), setting.placeholder()));
      help.append("      %s".formatted(setting.description()));
      help.append(
          setting.defaultValue().isEmpty()
              ? "\n"
              : " Default: %s%n".formatted(setting.defaultValue()));
    }
    return help.toString();
  }

  private static String defaultConfig() {
    StringBuilder config =
        new StringBuilder(
            """
            # Configuration of peapodd: /etc/peapod/config.yaml
            #
            # These are the defaults. A key that is left out has its default; each is also a flag
            # (--root and so on), which counts more than the file. An unknown key is an error.
            """);
    for (Setting setting : Setting.values()) {
      config.append("%n# %s%n".formatted(setting.description()));
      config.append(
          "%s: %s%n"
              .formatted(
                  setting.key(),
                  setting.defaultValue().isEmpty() ? "\"\"" : setting.defaultValue()));
    }
    return config.toString();
  }
}
