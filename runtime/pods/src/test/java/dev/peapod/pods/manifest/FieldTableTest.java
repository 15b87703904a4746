package dev.peapod.pods.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The table of fields, and the page that is made of it.
class FieldTableTest {
  private static final Path PAGE = Path.of("../../docs/pod-spec.md");

  /// `-Dpeapod.generate=true` writes the page anew.
  @Test
  void thePageIsNotStale() throws IOException {
    if (Boolean.getBoolean("peapod.generate")) {
      Files.writeString(PAGE, FieldTable.page());
    }
    assertThat(PAGE).hasContent(FieldTable.page());
  }

  @Test
  void everyRefusalHasItsReason() {
    assertThat(FieldTable.unreasoned()).isEmpty();
  }

  @Test
  void explainsFields() {
    assertThat(FieldTable.explain("pod.spec.containers.livenessProbe"))
        .contains("FIELD:    livenessProbe <Probe>")
        .contains("STATE:    supported")
        .containsPattern("initialDelaySeconds +<integer> +supported");
    assertThat(FieldTable.explain("pod.spec.nodeName")).contains("refused: ");
    assertThat(FieldTable.explain("cm")).contains("binaryData");
    assertThatThrownBy(() -> FieldTable.explain("pod.spec.container"))
        .hasMessageContaining("did you mean \"containers\"?");
    assertThatThrownBy(() -> FieldTable.explain("spaceship")).hasMessageContaining("spaceship");
  }
}
