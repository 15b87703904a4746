package dev.peapod.cri.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.linux.Terminal.Size;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ResizesTest {
  private final Resizes resizes = new Resizes();

  private List<Size> received(String text) {
    return resizes.received(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void areReadHoweverTheyAreCutUp() {
    assertThat(received("{\"Width\":100,\"Height\":40}\n{\"Width\":1,\"Height\":2}"))
        .containsExactly(new Size(40, 100), new Size(2, 1));
    List<Size> all = new ArrayList<>();
    for (char c : "\n{\"Width\":65535,\"Height\":7}\n".toCharArray()) {
      all.addAll(received(String.valueOf(c)));
    }
    assertThat(all).containsExactly(new Size(7, 65535));
  }

  @Test
  void passOverWhatIsNone() {
    assertThat(received("}{}{\"Width\":0,\"Height\":5}{\"Width\":70000,\"Height\":5}")).isEmpty();
    assertThat(received("x".repeat(5000) + "}")).isEmpty();
    assertThat(received("{\"Width\":3,\"Height\":4}")).containsExactly(new Size(4, 3));
  }
}
