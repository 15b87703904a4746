package dev.peapod.engine.exec;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What is kept of what commands write.
class OutputBudgetTest {
  private static final int MIB = 1 << 20;

  private final OutputBudget budget = new OutputBudget();

  @Test
  void oneCommandHasLessThanAnAnswerMayHaveInBothStreams() {
    try (OutputBudget.Share share = budget.share()) {
      assertThat(share.take(0, 10 * MIB)).isEqualTo(10 * MIB);
      assertThat(share.take(0, 10 * MIB)).isBetween(5 * MIB, 6 * MIB - 1);
      assertThat(share.take(10 * MIB, 1)).isZero();
    }
  }

  @Test
  void manyCommandsShareAndEachStreamHasALittleOfItsOwn() {
    try (OutputBudget.Share one = budget.share();
        OutputBudget.Share two = budget.share()) {
      one.take(0, 20 * MIB);
      two.take(0, 20 * MIB);
      try (OutputBudget.Share three = budget.share()) {
        three.take(0, MIB);
        assertThat(three.take(0, 10_000)).isEqualTo(10_000);
        assertThat(three.take(10_000, MIB)).isEqualTo((64 << 10) - 10_000);
        assertThat(three.take(64 << 10, MIB)).isZero();
      }
    }
    try (OutputBudget.Share later = budget.share()) {
      assertThat(later.take(0, MIB)).isEqualTo(MIB);
    }
  }
}
