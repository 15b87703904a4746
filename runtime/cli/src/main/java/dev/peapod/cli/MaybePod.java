package dev.peapod.cli;

import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Parameters;

/// The words that say which pod, or that all are meant.
final class MaybePod {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "POD",
      description = "NAME or pod/NAME (default: all).")
  private String first = "";

  @Parameters(index = "1", arity = "0..1", hidden = true)
  private String second = "";

  /// Empty if all are meant.
  String name() {
    List<String> words = Stream.of(first, second).filter(word -> !word.isEmpty()).toList();
    List<String> names = Names.pods(words);
    if (names.size() > 1) {
      throw new Failure("name one pod, or none for all", Main.USAGE);
    }
    return names.isEmpty() ? "" : names.getFirst();
  }
}
