package dev.peapod.engine.container;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalNamesTest {
  @ParameterizedTest
  @CsvSource({
    "SIGTERM,15",
    "term,15",
    "15,15",
    "SIGRTMIN+3,37",
    "RTMAX-1,63",
    "SIGQUIT,3",
    "64,64"
  })
  void readsNamesAndNumbers(String text, int number) {
    assertThat(SignalNames.parse(text)).hasValue(number);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "SIG", "0", "65", "-1", "SIGNOPE", "RTMIN+", "RTMIN+99", "9x"})
  void refusesOthers(String text) {
    assertThat(SignalNames.parse(text)).isEmpty();
  }
}
