package dev.peapod.pods.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class IndexesTest {
  @Test
  void areReadAsTheyAreWritten() {
    for (String text : new String[] {"", "0", "0-2", "1,3,5-7", "0-1,99999"}) {
      assertThat(Indexes.text(Indexes.parse(text))).isEqualTo(text);
    }
    BitSet set = new BitSet();
    set.set(3);
    set.set(4);
    set.set(8);
    assertThat(Indexes.text(set)).isEqualTo("3-4,8");
  }
}
