package dev.peapod.daemon;

import java.util.ArrayDeque;
import java.util.Deque;

/// What has to be ended, in reverse order of its start. Ending goes on past a step that fails, and reports it.
final class UndoStack implements AutoCloseable {
  /// One step; anything may be thrown.
  interface Step {
    void run() throws Exception;
  }

  private record Named(String name, Step step) {}

  private static final System.Logger LOG = System.getLogger(UndoStack.class.getName());

  private final Deque<Named> steps = new ArrayDeque<>();

  /// @param name what is ended, for the report: `the engine`
  void push(String name, Step step) {
    steps.push(new Named(name, step));
  }

  @Override
  public void close() {
    while (!steps.isEmpty()) {
      Named next = steps.pop();
      try {
        next.step().run();
      } catch (Exception e) {
        LOG.log(System.Logger.Level.ERROR, "could not end " + next.name(), e);
      }
    }
  }
}
