package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalsTest {
  @ParameterizedTest
  @CsvSource({
    "SIGTERM, 15", "TERM, 15", "sigterm, 15", "15, 15", "KILL, 9", "SIGWINCH, 28", "SIGSYS, 31",
    "SIGRTMIN+3, 37", "RTMIN+3, 37", "SIGRTMIN, 34", "SIGRTMAX-1, 63", "RTMAX, 64", "POLL, 29",
    "64, 64", "SIGCLD, 17"
  })
  void namesHaveNumbers(String name, int number) {
    assertThat(Signals.number(name)).hasValue(number);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "0", "65", "-1", "SIG", "SIG15", "SIGFOO", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMIN+",
        "99999999999", "RTMINX"
      })
  void othersHaveNone(String name) {
    assertThat(Signals.number(name)).isEmpty();
  }

  @Test
  void numbersHaveTheNamesThatTheShellKnows() throws Exception {
    for (int n = 1; n <= 64; n++) {
      Process kill = new ProcessBuilder("/bin/kill", "-l", "" + n).start();
      String shell = new String(kill.getInputStream().readAllBytes()).strip();
      kill.waitFor();
      if (n == 32 || n == 33) {
        assertThat(Signals.name(n)).isEmpty();
      } else {
        String name = Signals.name(n).orElseThrow();
        assertThat(Signals.number(name)).hasValue(n);
        if (n < 32) {
          assertThat(List.of("SIG" + shell, "SIG" + shell.replace("POLL", "IO"))).contains(name);
        }
      }
    }
    assertThat(Signals.name(0)).isEmpty();
    assertThat(Signals.name(65)).isEmpty();
    assertThat(Signals.name(37)).hasValue("SIGRTMIN+3");
  }
}
