package dev.peapod.engine.exec;

import dev.peapod.engine.launch.LaunchPlan;
import dev.peapod.engine.launch.Operation;
import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Pipes;
import java.util.Optional;

/// The pipes to a command; those that nobody wants are not made. Closing it closes what was not taken.
record ExecPipes(Optional<Pipes.Pipe> in, Optional<Pipes.Pipe> out, Optional<Pipes.Pipe> err)
    implements AutoCloseable {
  /// With a terminal there are none.
  static ExecPipes make(StreamOptions options) {
    Optional<Pipes.Pipe> in = pipe(options.stdin() && !options.tty());
    try {
      Optional<Pipes.Pipe> out = pipe(options.stdout() && !options.tty());
      try {
        return new ExecPipes(in, out, pipe(options.stderr()));
      } catch (RuntimeException e) {
        out.ifPresent(Pipes.Pipe::close);
        throw e;
      }
    } catch (RuntimeException e) {
      in.ifPresent(Pipes.Pipe::close);
      throw e;
    }
  }

  private static Optional<Pipes.Pipe> pipe(boolean wanted) {
    return wanted ? Optional.of(Pipes.create()) : Optional.empty();
  }

  /// Gives the command its ends.
  Operation.Stdio give(LaunchPlan.Builder plan) {
    return new Operation.Stdio(
        slot(plan, in.map(Pipes.Pipe::read)),
        slot(plan, out.map(Pipes.Pipe::write)),
        slot(plan, err.map(Pipes.Pipe::write)));
  }

  private static int slot(LaunchPlan.Builder plan, Optional<Fd> fd) {
    return fd.map(plan::give).orElse(Operation.DEFAULT_STREAM);
  }

  @Override
  public void close() {
    in.ifPresent(Pipes.Pipe::close);
    out.ifPresent(Pipes.Pipe::close);
    err.ifPresent(Pipes.Pipe::close);
  }
}
