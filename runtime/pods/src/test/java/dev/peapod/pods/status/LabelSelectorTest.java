package dev.peapod.pods.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabelSelectorTest {
  private static final Map<String, String> LABELS = Map.of("app", "web", "tier", "front");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | true",
        "app=web | true",
        "app==web | true",
        "app=db | false",
        "app!=db | true",
        "app!=web | false",
        "none!=x | true",
        "app in (db, web) | true",
        "app in (db) | false",
        "app notin (db) | true",
        "none notin (db) | true",
        "app | true",
        "!app | false",
        "!none | true",
        "app=web,tier=back | false",
        "app in (web,db),tier=front | true"
      })
  void selects(String selector, boolean matches) {
    assertThat(LabelSelector.parse(selector).matches(LABELS)).isEqualTo(matches);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=b=c", "app in web", "app,", "(a)", "=x"})
  void refusesWhatIsNoSelector(String selector) {
    assertThatThrownBy(() -> LabelSelector.parse(selector))
        .hasMessageContaining("not a valid label selector");
  }
}
