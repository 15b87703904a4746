package dev.peapod.pods.environment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExpansionTest {
  @ParameterizedTest
  @CsvSource({
    "$(A), 1",
    "x$(A)y, x1y",
    "$$(A), $(A)",
    "$$$(A), $1",
    "$A, $A",
    "$(B), $(B)",
    "$(A, $(A",
    "$, $",
    "$$, $",
    "$(A)$(A), 11",
    "$$$$, $$",
    "$(), $()"
  })
  void expandsAsKubernetesDocuments(String text, String expected) {
    assertThat(Expansion.expand(text, Map.of("A", "1"))).isEqualTo(expected);
  }
}
