package dev.peapod.cri;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CpuRatesTest {
  private static final long SECOND = 1_000_000_000;

  private final CpuRates rates = new CpuRates();

  @Test
  void needTwoTotals() {
    assertThat(rates.rate("a", 0, 5)).isEmpty();
    assertThat(rates.rate("a", 2 * SECOND, SECOND + 5)).hasValue(SECOND / 2);
    assertThat(rates.rate("b", 2 * SECOND, 7)).isEmpty();
  }

  @Test
  void areNotMadeOfMoments() {
    rates.rate("a", 0, 0);
    rates.rate("a", SECOND, SECOND);
    assertThat(rates.rate("a", SECOND + 1000, SECOND + 900_000)).hasValue(SECOND);
  }

  @Test
  void beginAnewWithTheTotal() {
    rates.rate("a", 0, 10 * SECOND);
    assertThat(rates.rate("a", SECOND, 5)).isEmpty();
    rates.forgetOld(SECOND + 601 * SECOND);
    assertThat(rates.rate("a", 700 * SECOND, 10)).isEmpty();
  }
}
