package dev.peapod.engine.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class IdsTest {
  private static final Map<String, String> ALL = Map.of("abc1", "A", "abd2", "B", "x", "C");

  @Test
  void findsByIdAndBeginning() {
    assertThat(Ids.find(ALL, "abc1", v -> true)).hasValue("A");
    assertThat(Ids.find(ALL, "abc", v -> true)).hasValue("A");
    assertThat(Ids.find(ALL, "abe", v -> true)).isEmpty();
    assertThat(Ids.find(ALL, "", v -> true)).isEmpty();
    assertThatThrownBy(() -> Ids.find(ALL, "ab", v -> true)).hasMessageContaining("several ids");
  }

  @Test
  void seesOnlyWhatIsVisible() {
    assertThat(Ids.find(ALL, "ab", v -> v.equals("B"))).hasValue("B");
    assertThat(Ids.find(ALL, "abc1", v -> v.equals("B"))).isEmpty();
  }

  @Test
  void makesDifferentOnes() {
    assertThat(Ids.random()).matches("[0-9a-f]{64}").isNotEqualTo(Ids.random());
  }
}
