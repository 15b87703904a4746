package dev.peapod.engine.state;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import org.junit.jupiter.api.Test;

class NameReservationsTest {
  private final NameReservations names = new NameReservations();

  @Test
  void areTakenOncePerOwner() {
    names.reserve("a", "web", "1");
    names.reserve("a", "web", "1");
    names.reserve("b", "web", "2");
    assertThatThrownBy(() -> names.reserve("a", "web", "3"))
        .isInstanceOf(PeapodException.class)
        .hasMessage("name \"web\" is taken by 1");
    names.release("a", "web", "3");
    assertThatThrownBy(() -> names.reserve("a", "web", "3")).isInstanceOf(PeapodException.class);
    names.release("a", "web", "1");
    names.reserve("a", "web", "3");
  }
}
