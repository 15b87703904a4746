package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class KernelRandomTest {
  @Test
  void bytesAreManyAndOthersEachTime() {
    byte[] first = KernelRandom.bytes(256);
    assertThat(first).hasSize(256).isNotEqualTo(new byte[256]);
    assertThat(KernelRandom.bytes(256)).isNotEqualTo(first);
    assertThat(KernelRandom.bytes(0)).isEmpty();
    assertThatThrownBy(() -> KernelRandom.bytes(257)).isInstanceOf(IllegalArgumentException.class);
  }
}
