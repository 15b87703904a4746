package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamSession;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Terminal;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One exec or attach between a client and a process, run by virtual threads.
///
/// Its events come on the connection's thread and never block it.
final class RemoteCommand {
  private static final Logger LOG = System.getLogger(RemoteCommand.class.getName());
  private static final int MOST_INPUT = 256 << 10;

  private sealed interface Event {}

  private record Input(byte[] bytes) implements Event {}

  private record Resize(Terminal.Size size) implements Event {}

  private record EndOfInput() implements Event {}

  private record Gone() implements Event {}

  private final Ticket.Command ticket;
  private final CommandChannels client;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final AtomicInteger waitingInput = new AtomicInteger();
  private final Resizes resizes = new Resizes();
  private @Nullable StreamSession session;
  private boolean gone;

  RemoteCommand(Ticket.Command ticket, CommandChannels client) {
    this.ticket = ticket;
    this.client = client;
  }

  /// Starts the process; what it is sent before waits.
  void start() {
    Thread.ofVirtual().name("stream-" + ticket.verb()).start(this::run);
  }

  void input(byte[] bytes) {
    if (ticket.options().stdin() && bytes.length > 0) {
      events.add(new Input(bytes));
      if (waitingInput.addAndGet(bytes.length) > MOST_INPUT) {
        client.receiving(false);
      }
    }
  }

  void endInput() {
    events.add(new EndOfInput());
  }

  void resize(byte[] bytes) {
    resizes.received(bytes).forEach(size -> events.add(new Resize(size)));
  }

  /// The client has gone.
  void gone() {
    events.add(new Gone());
    StreamSession open;
    synchronized (this) {
      gone = true;
      open = session;
    }
    if (open != null) {
      Thread.startVirtualThread(open::close);
    }
  }

  private void run() {
    byte[] status;
    try (StreamSession open = ticket.open().get()) {
      synchronized (this) {
        session = open;
        if (gone) {
          return;
        }
      }
      Thread.ofVirtual().name("stream-input").start(() -> passInput(open));
      status = CommandStatus.exited(open.run(client));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a client of {0} has gone: {1}", ticket.verb(), e.getMessage());
      return;
    } catch (PeapodException e) {
      status = CommandStatus.failed(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, ticket.verb() + " failed", e);
      status = CommandStatus.failed("peapodd has a defect: " + e + "; its log has the details");
    } finally {
      events.add(new Gone());
    }
    client.finish(status);
  }

  private void passInput(StreamSession open) {
    try {
      while (true) {
        switch (events.take()) {
          case Input(byte[] bytes) -> {
            open.write(bytes);
            int left = waitingInput.addAndGet(-bytes.length);
            if (left <= MOST_INPUT && left + bytes.length > MOST_INPUT) {
              client.receiving(true);
            }
          }
          case Resize(Terminal.Size size) -> resize(open, size);
          case EndOfInput() -> open.endInput();
          case Gone() -> {
            return;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.log(Level.DEBUG, "input of " + ticket.verb(), e);
    }
  }

  private static void resize(StreamSession open, Terminal.Size size) {
    try {
      open.resize(size.rows(), size.columns());
    } catch (PeapodException | KernelException e) {
      // The process is ending; its exit tells the client.
      LOG.log(Level.DEBUG, "resizing", e);
    }
  }
}
