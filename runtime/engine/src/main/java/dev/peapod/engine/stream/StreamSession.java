package dev.peapod.engine.stream;

import dev.peapod.error.PeapodException;
import java.io.IOException;

/// A process whose streams somebody holds. Calls block and belong on virtual threads.
///
/// One thread calls [#run(Output)], one other writes and ends the input; resizing and closing may come
/// from any.
public interface StreamSession extends AutoCloseable {
  /// Takes what the process writes. The two methods are called by one thread each.
  interface Output {
    /// @throws IOException if nobody takes output any more
    void stdout(byte[] bytes, int count) throws IOException;

    /// @throws IOException if nobody takes output any more
    void stderr(byte[] bytes, int count) throws IOException;
  }

  /// Passes output on until the process has ended and all of it is passed on.
  ///
  /// @return the exit code; 0 for an attached container, whose exit is its own affair
  /// @throws IOException what the output throws
  /// @throws PeapodException saying why the streams ended before the process did
  int run(Output output) throws IOException;

  /// Writes input, waiting while the process takes none: false if it will not take any more.
  boolean write(byte[] bytes);

  /// The input has ended.
  void endInput();

  /// Sets the terminal's size; without a terminal nothing happens.
  void resize(int rows, int columns);

  /// Lets go of the streams. A command that still runs is killed with all that it started; a container
  /// is only left alone.
  @Override
  void close();
}
