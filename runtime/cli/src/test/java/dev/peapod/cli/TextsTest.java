package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextsTest {
  @ParameterizedTest
  @CsvSource({
    "5, PT5S",
    "90s, PT1M30S",
    "1h30m, PT1H30M",
    "250ms, PT0.25S",
    "1.5h, PT1H30M",
    "2d, PT48H"
  })
  void readsDurations(String text, Duration expected) {
    assertThat(Texts.duration(text, "--since")).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "5 m", "5y", "m", "1h x"})
  void refusesWhatIsNoDuration(String text) {
    assertThatThrownBy(() -> Texts.duration(text, "--since"))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.code()).isEqualTo(Main.USAGE))
        .hasMessageContaining("--since");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0B",
    "999, 999B",
    "1000, 1.00kB",
    "2970000, 2.97MB",
    "123456789, 123.5MB",
    "999960000, 1.00GB"
  })
  void writesSizes(long bytes, String expected) {
    assertThat(Texts.size(bytes)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "5, 5s",
    "119, 119s",
    "120, 2m",
    "200, 3m20s",
    "3000, 50m",
    "14500, 4h1m",
    "100000, 27h",
    "200000, 2d7h"
  })
  void writesAges(long seconds, String expected) {
    long then = (System.currentTimeMillis() - seconds * 1000 - 200) * 1_000_000;
    assertThat(Texts.age(then)).isEqualTo(expected);
  }

  @Test
  void letsNothingThroughThatMovesTheCursor() {
    assertThat(Texts.clean("a\u001b[2Jb\nc")).isEqualTo("a [2Jb c");
  }
}
