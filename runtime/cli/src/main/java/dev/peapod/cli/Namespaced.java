package dev.peapod.cli;

import picocli.CommandLine.Option;

/// The options that say in which namespace.
final class Namespaced {
  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      defaultValue = "default",
      description = "The pods' namespace (default: default).")
  String namespace = "default";
}
