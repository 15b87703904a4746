package dev.peapod.cli;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The words that say which one container of a pod.
final class OneContainer {
  @Mixin OnePod pod = new OnePod();

  @Option(
      names = {"-c", "--container"},
      paramLabel = "CONTAINER",
      defaultValue = "",
      description = "Which container (default: the pod's first).")
  String container = "";
}
