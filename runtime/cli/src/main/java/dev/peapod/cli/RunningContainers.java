package dev.peapod.cli;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The words that say which running containers of a pod.
final class RunningContainers {
  @Mixin OnePod pod = new OnePod();

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      defaultValue = "",
      description = "Which container (default: all that run).")
  String container = "";
}
