package dev.peapod.engine.stream;

import dev.peapod.error.PeapodException;

/// Which streams are wanted.
///
/// @param tty a terminal, whose output is all stdout
public record StreamOptions(boolean stdin, boolean stdout, boolean stderr, boolean tty) {
  /// @throws PeapodException INVALID if none is wanted, or stderr beside a terminal
  public StreamOptions {
    if (!stdin && !stdout && !stderr) {
      throw PeapodException.invalid("one of stdin, stdout and stderr must be set");
    }
    if (tty && stderr) {
      throw PeapodException.invalid("tty and stderr can not both be set: a terminal has one output");
    }
  }
}
