package dev.peapod.engine.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UndoStackTest {
  private final List<String> done = new ArrayList<>();
  private final UndoStack undo = new UndoStack();

  @Test
  void undoesInReverseAndGoesOnPastFailures() {
    undo.push("a", () -> done.add("a"));
    undo.push(
        "b",
        () -> {
          throw new IOException("b failed");
        });
    undo.push("c", () -> done.add("c"));
    RuntimeException cause = new RuntimeException("cause");
    undo.undo(cause);
    assertThat(done).containsExactly("c", "a");
    assertThat(cause.getSuppressed()).hasSize(1);
    undo.undo(cause);
    assertThat(done).hasSize(2);
  }

  @Test
  void forgetsWhenCleared() {
    undo.push("a", () -> done.add("a"));
    undo.clear();
    undo.undo(new RuntimeException("cause"));
    assertThat(done).isEmpty();
  }
}
