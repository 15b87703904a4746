package dev.peapod.cli;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// The words that say which pod.
final class OnePod {
  @Mixin private Namespaced in = new Namespaced();

  @Parameters(index = "0", paramLabel = "POD", description = "NAME or pod/NAME.")
  private String pod = "";

  String namespace() {
    return in.namespace;
  }

  String name() {
    return Names.one(pod);
  }
}
