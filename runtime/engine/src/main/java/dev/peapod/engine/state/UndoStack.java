package dev.peapod.engine.state;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;

/// The steps that undo what has been made so far of a thing that may yet fail. For one thread.
public final class UndoStack {
  /// A step; it must bear being done for something that is half-made or gone.
  @FunctionalInterface
  public interface Step {
    void run() throws Exception;
  }

  private record Named(String name, Step step) {}

  private static final Logger LOG = System.getLogger(UndoStack.class.getName());

  private final Deque<Named> steps = new ArrayDeque<>();

  /// Adds a step, to be done before those that are there.
  public void push(String name, Step step) {
    steps.push(new Named(name, step));
  }

  /// Does all steps, the last one first, going on past those that fail; these are attached to the
  /// cause.
  public void undo(Throwable cause) {
    while (!steps.isEmpty()) {
      Named next = steps.pop();
      try {
        next.step.run();
      } catch (Exception e) {
        cause.addSuppressed(e);
        LOG.log(Level.WARNING, "undoing \"" + next.name + "\" failed", e);
      }
    }
  }

  /// Forgets all steps: the thing is made.
  public void clear() {
    steps.clear();
  }
}
