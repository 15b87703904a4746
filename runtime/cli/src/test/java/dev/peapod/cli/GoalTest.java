package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.proto.peapod.v1.PodCondition;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GoalTest {
  private static final List<PodCondition> READY =
      List.of(PodCondition.newBuilder().setType("Ready").setStatus("True").build());

  @Test
  void readsTemplatesWithAndWithoutValues() {
    assertThat(Goal.of("jsonpath={.status.phase}=Running"))
        .isEqualTo(new Goal.Value("{.status.phase}", "Running"));
    assertThat(Goal.of("jsonpath={.status.phase}")).isEqualTo(new Goal.Value("{.status.phase}", ""));
    assertThat(Goal.of("jsonpath=.status.phase=Running"))
        .isEqualTo(new Goal.Value("{.status.phase}", "Running"));
    assertThat(Goal.of("jsonpath=status.phase")).isEqualTo(new Goal.Value("{.status.phase}", ""));
    assertThat(Goal.of("jsonpath={.items[?(@.a==\"x\")].b}=1=2"))
        .isEqualTo(new Goal.Value("{.items[?(@.a==\"x\")].b}", "1=2"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "ready", "condition=a=b=c", "jsonpath=", "jsonpath={.a}=", "jsonpath={.a}b"})
  void refusesWhatIsNoGoal(String text) {
    assertThatThrownBy(() -> Goal.of(text)).isInstanceOf(Failure.class);
  }

  @Test
  void knowsWhenItIsMet() {
    assertThat(Goal.of("condition=ready").isMet(false, "", READY, "")).isTrue();
    assertThat(Goal.of("condition=Ready=false").isMet(false, "", READY, "")).isFalse();
    assertThat(Goal.of("condition=Ready").isMet(true, "", READY, "")).isFalse();
    assertThat(Goal.of("phase=running").isMet(false, "Running", List.of(), "")).isTrue();
    assertThat(Goal.of("create").isMet(false, "", List.of(), "")).isTrue();
    assertThat(Goal.of("delete").isMet(true, "", List.of(), "")).isTrue();
    assertThat(Goal.of("jsonpath={.a}").isMet(false, "", List.of(), "")).isFalse();
    assertThat(Goal.of("jsonpath={.a}").isMet(false, "", List.of(), "x")).isTrue();
    assertThat(Goal.of("jsonpath={.a}=x").isMet(false, "", List.of(), "x y")).isFalse();
    assertThat(Goal.of("jsonpath={.a}=x").isMet(false, "", List.of(), "x")).isTrue();
  }
}
