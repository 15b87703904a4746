package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamesTest {
  @ParameterizedTest
  @CsvSource({
    "web, web",
    "pod/web, web",
    "pod web, web",
    "pods, ''",
    "po web pod/db, web db",
    "pod pod, pod",
    "pod/pod, pod"
  })
  void theWordForPodsMayStandBeforeTheirNames(String words, String names) {
    assertThat(String.join(" ", Names.pods(List.of(words.split(" "))))).isEqualTo(names);
  }

  @Test
  void otherKindsAreNoPods() {
    assertThatThrownBy(() -> Names.pods(List.of("deployment/web")))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.code()).isEqualTo(Main.USAGE))
        .hasMessage("\"deployment\" are not pods");
  }
}
