package dev.peapod.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {
  private static int[] narrowed(int most, int... widths) {
    Table.narrow(widths, most);
    return widths;
  }

  @Test
  void theWidestColumnsGiveWayToTheOthers() {
    assertThat(narrowed(80, 40, 5, 10)).containsExactly(40, 5, 10);
    assertThat(narrowed(80, 51, 5, 17, 12, 4)).containsExactly(30, 5, 17, 12, 4);
    assertThat(narrowed(80, 18, 7, 7, 56, 70)).containsExactly(18, 7, 7, 18, 18);
    assertThat(narrowed(10, 30, 30)).containsExactly(8, 8);
  }

  @Test
  void whatIsTooLongKeepsItsBeginningAndItsEnd() {
    assertThat(Table.shortened("web", 3, false)).isEqualTo("web");
    assertThat(Table.shortened("web-7d9f-abcde", 9, false)).isEqualTo("web-…bcde");
    assertThat(Table.shortened("Container started", 9, true)).isEqualTo("Containe…");
  }
}
