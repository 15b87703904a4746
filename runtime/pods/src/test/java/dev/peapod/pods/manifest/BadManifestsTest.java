package dev.peapod.pods.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The corpus in `bad.txt`: each case is a manifest and the errors it must give, exactly.
class BadManifestsTest {
  private record Case(String name, String manifest, List<String> errors) {}

  @TestFactory
  Stream<DynamicTest> everyBadManifestIsRefusedWithItsErrors() throws IOException {
    return cases().stream().map(c -> DynamicTest.dynamicTest(c.name, () -> check(c)));
  }

  @Test
  void theCorpusIsLarge() throws IOException {
    assertThat(cases()).hasSizeGreaterThanOrEqualTo(150);
  }

  private static void check(Case c) {
    List<ManifestSource> sources =
        List.of(new ManifestSource("bad.yaml", c.manifest.getBytes(StandardCharsets.UTF_8)));
    assertThatThrownBy(() -> new Manifests(true).read(sources, "default"))
        .isInstanceOfSatisfying(
            PeapodException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(PeapodException.Kind.INVALID);
              assertThat(
                      String.valueOf(e.getMessage())
                          .lines()
                          .map(line -> line.replaceFirst("^bad.yaml:", ""))
                          .toList())
                  .hasSameSizeAs(c.errors)
                  .zipSatisfy(
                      c.errors,
                      (actual, expected) -> {
                        // Three dots at the end: Kubernetes' long explanation follows.
                        if (expected.endsWith("...")) {
                          assertThat(actual)
                              .startsWith(expected.substring(0, expected.length() - 3));
                        } else {
                          assertThat(actual).isEqualTo(expected);
                        }
                      });
            });
  }

  /// Cases begin with `=== name`; after `--- errors` one error stands on each line.
  private static List<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    try (InputStream in = BadManifestsTest.class.getResourceAsStream("/manifests/bad.txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      for (String part : text.split("(?m)^=== ")) {
        if (part.startsWith("#")) {
          continue;
        }
        String name = part.substring(0, part.indexOf('\n'));
        String[] halves = part.substring(name.length() + 1).split("(?m)^--- errors\n", 2);
        cases.add(new Case(name, halves[0], halves[1].strip().lines().toList()));
      }
    }
    return cases;
  }
}
