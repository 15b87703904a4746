package dev.peapod.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class NetworkCountersTest {
  @Test
  void readsTheKernelsTable() {
    String text =
        """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
          eth0:18446744073709551615 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
        """;
    assertThat(NetworkCounters.parse(text))
        .containsExactly(
            new NetworkCounters("lo", 0, 0, 0, 0, 0, 0, 0, 0),
            new NetworkCounters("eth0", -1, 2, 3, 4, 9, 10, 11, 12));
  }

  @Test
  void readsItsOwn() {
    assertThat(NetworkCounters.of((int) ProcessHandle.current().pid()))
        .anySatisfy(counters -> assertThat(counters.name()).isEqualTo("lo"));
  }
}
