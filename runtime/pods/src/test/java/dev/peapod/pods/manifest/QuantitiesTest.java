package dev.peapod.pods.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantitiesTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1000",
    "500m, 500",
    "1.5, 1500",
    ".5, 500",
    "0.1m, 1",
    "2k, 2000000",
    "1e3, 1000000",
    "1E1, 10000",
    "+1, 1000"
  })
  void countsThousandthsRoundedUp(String text, long milli) {
    assertThat(Quantities.milli(text)).isEqualTo(milli);
  }

  @ParameterizedTest
  @CsvSource({
    "64Mi, 67108864",
    "1Gi, 1073741824",
    "1G, 1000000000",
    "1500m, 2",
    "12E, 9223372036854775807",
    "1.5Ki, 1536"
  })
  void countsUnitsRoundedUpAndBounded(String text, long units) {
    assertThat(Quantities.units(text)).isEqualTo(units);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Mi", "1 Mi", "64MB", "1KI", "--1", "1e", "0x10", "1e999", "1.2.3"})
  void refusesWhatIsNone(String text) {
    assertThat(Quantities.parse(text)).isEmpty();
  }

  @Test
  void keepsTheSign() {
    assertThat(Quantities.parse("-1").orElseThrow()).isNegative();
  }
}
