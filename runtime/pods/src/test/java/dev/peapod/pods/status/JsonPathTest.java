package dev.peapod.pods.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonPathTest {
  private static final Object POD =
      Map.of(
          "metadata", Map.of("name", "web", "labels", Map.of("a.b/c", "x")),
          "spec",
              Map.of(
                  "containers",
                  List.of(
                      Map.of("name", "one", "image", "i1", "ports", List.of(Map.of("n", 80))),
                      Map.of("name", "two", "image", "i2"))));

  private static String of(String template) {
    return JsonPath.evaluate(template, POD);
  }

  @Test
  void findsWhatKubectlFinds() {
    assertThat(of("{.metadata.name}")).isEqualTo("web");
    assertThat(of("{$.metadata.name}")).isEqualTo("web");
    assertThat(of("name: {.metadata.name}{\"\\n\"}")).isEqualTo("name: web\n");
    assertThat(of("{.spec.containers[*].name}")).isEqualTo("one two");
    assertThat(of("{.spec.containers[1].name}")).isEqualTo("two");
    assertThat(of("{.spec.containers[-1].name}")).isEqualTo("two");
    assertThat(of("{.spec.containers[0:1].name}")).isEqualTo("one");
    assertThat(of("{..name}")).contains("one two");
    assertThat(of("{.spec.containers[?(@.name==\"two\")].image}")).isEqualTo("i2");
    assertThat(of("{.spec.containers[?(@.ports)].name}")).isEqualTo("one");
    assertThat(of("{.spec.containers[*].ports[?(@.n > 79)].n}")).isEqualTo("80");
    assertThat(of("{range .spec.containers[*]}{.name}={.image};{end}")).isEqualTo("one=i1;two=i2;");
    assertThat(of("{.metadata.labels.a\\.b/c}")).isEqualTo("x");
    assertThat(of("{.metadata.labels['a.b/c']}")).isEqualTo("x");
    assertThat(of("{.nothing.here}")).isEmpty();
    assertThat(of("{.metadata.labels}")).isEqualTo("{\"a.b/c\":\"x\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{.a",
        "{.a[}",
        "{.a[x]}",
        "{range .a}",
        "{end}",
        "{.a[?(@.b}",
        "{'a}",
        "{x}"
      })
  void refusesWhatIsNoTemplate(String template) {
    assertThatThrownBy(() -> of(template)).isInstanceOf(PeapodException.class);
  }
}
