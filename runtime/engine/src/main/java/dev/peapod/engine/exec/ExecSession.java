package dev.peapod.engine.exec;

import dev.peapod.engine.launch.Started;
import dev.peapod.engine.stream.StreamSession;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Pipes;
import dev.peapod.linux.Stream;
import dev.peapod.linux.Terminal;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// A command in a container with its streams.
final class ExecSession implements StreamSession {
  private static final int CHUNK = 32768;
  private static final long KILLED_SECONDS = 10;
  private static final long DRAIN_SECONDS = 1;

  private final String where;
  private final ExecCgroup cgroup;
  private final CompletableFuture<Integer> exited;
  private final Optional<Fd> terminal;
  private final Optional<Stream> in;
  private final Optional<Stream> out;
  private final Optional<Stream> err;
  private boolean closed;

  /// @param pipes whose ends on this side are taken
  ExecSession(
      EventLoop loop, String where, ExecCgroup cgroup, Started started, ExecPipes pipes) {
    this.where = where;
    this.cgroup = cgroup;
    this.exited = started.exited();
    this.terminal = started.terminal();
    if (terminal.isPresent()) {
      in = Optional.of(Stream.writer(loop, terminal.get().duplicate()));
      out = Optional.of(Stream.reader(loop, terminal.get().duplicate()));
      err = Optional.empty();
    } else {
      in = pipes.in().map(Pipes.Pipe::write).map(fd -> Stream.writer(loop, taken(fd)));
      out = pipes.out().map(Pipes.Pipe::read).map(fd -> Stream.reader(loop, taken(fd)));
      err = pipes.err().map(Pipes.Pipe::read).map(fd -> Stream.reader(loop, taken(fd)));
    }
    // What a command leaves behind may hold its pipes; after its end they are read as far as they go.
    // What was written to a terminal may arrive a moment later, and then its end does too.
    exited.whenCompleteAsync(
        (status, failure) -> {
          out.ifPresent(Stream::end);
          err.ifPresent(Stream::end);
        },
        terminal.isPresent()
            ? CompletableFuture.delayedExecutor(DRAIN_SECONDS, TimeUnit.SECONDS)
            : Runnable::run);
  }

  private static Fd taken(Fd fd) {
    return new Fd(fd.release());
  }

  @Override
  public int run(Output output) throws IOException {
    CompletableFuture<Void> errors = new CompletableFuture<>();
    err.ifPresentOrElse(
        stream ->
            Thread.startVirtualThread(
                () -> {
                  try {
                    pass(stream, output::stderr);
                    errors.complete(null);
                  } catch (IOException | RuntimeException e) {
                    errors.completeExceptionally(e);
                  }
                }),
        () -> errors.complete(null));
    if (out.isPresent()) {
      pass(out.get(), output::stdout);
    }
    try {
      errors.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e;
    }
    return ExecService.exitCode(awaitExit());
  }

  private interface Sink {
    void take(byte[] bytes, int count) throws IOException;
  }

  private static void pass(Stream stream, Sink sink) throws IOException {
    byte[] chunk = new byte[CHUNK];
    int n;
    while ((n = stream.read(chunk)) >= 0) {
      sink.take(chunk, n);
    }
  }

  private int awaitExit() {
    try {
      return exited.get();
    } catch (ExecutionException e) {
      throw new PeapodException(Kind.UNAVAILABLE, "a command in " + where + " is lost", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeapodException(Kind.UNAVAILABLE, "interrupted", e);
    }
  }

  @Override
  public boolean write(byte[] bytes) {
    return in.isPresent() && in.get().write(bytes);
  }

  @Override
  public void endInput() {
    // A terminal has no end of input but the one that is typed.
    if (terminal.isEmpty()) {
      in.ifPresent(Stream::close);
    }
  }

  @Override
  public synchronized void resize(int rows, int columns) {
    @Nullable Fd fd = terminal.orElse(null);
    if (fd != null && !closed) {
      Terminal.resize(fd.number(), new Terminal.Size(rows, columns));
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    if (!exited.isDone()) {
      cgroup.kill();
      try {
        exited.get(KILLED_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException e) {
        // It goes with its container.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    in.ifPresent(Stream::close);
    out.ifPresent(Stream::close);
    err.ifPresent(Stream::close);
    terminal.ifPresent(Fd::close);
    cgroup.close();
  }
}
