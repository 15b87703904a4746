package dev.peapod.engine.stream;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Readiness;
import dev.peapod.linux.UnixSeqpacket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A connection to a container's monitor; `docs/launch-plan.md` has the messages under Control.
///
/// One thread sends and one receives. Waiting holds no carrier.
final class MonitorSocket implements AutoCloseable {
  static final int ATTACH = 1;
  static final int INPUT = 2;
  static final int END_INPUT = 3;
  static final int RESIZE = 4;
  static final int REOPEN_LOG = 5;
  static final int DONE = 16;
  static final int STDOUT = 17;
  static final int STDERR = 18;

  /// The most input that one message may carry, bytes.
  static final int INPUT_MAX = 8192;

  private static final int MESSAGE_MAX = 1 + 16385;

  private final UnixSeqpacket socket;
  private final UnixSeqpacket sending;
  private final Readiness readable;
  private final Readiness writable;

  /// Connects to the monitor that listens at this path.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if there is none
  MonitorSocket(EventLoop loop, Path path) {
    try {
      socket = UnixSeqpacket.connect(path);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED) {
        throw new PeapodException(
            Kind.FAILED_PRECONDITION, "the container's monitor can not be reached: it has ended", e);
      }
      throw e;
    }
    // A descriptor can be waited for in one way only.
    sending = new UnixSeqpacket(socket.fd().duplicate());
    readable = new Readiness(loop, socket.fd(), EventLoop.IN);
    writable = new Readiness(loop, sending.fd(), EventLoop.OUT);
  }

  /// Sends a message: false if the monitor has hung up.
  boolean send(byte[] message) {
    while (true) {
      try {
        if (sending.trySend(message, List.of())) {
          return true;
        }
      } catch (KernelException | IllegalStateException e) {
        return false;
      }
      if (!writable.await()) {
        return false;
      }
    }
  }

  /// Waits for the next message: empty once the monitor has hung up.
  byte[] receive() {
    while (true) {
      try {
        Optional<UnixSeqpacket.Received> next = socket.tryReceive(MESSAGE_MAX, 0);
        if (next.isPresent()) {
          return next.get().message();
        }
      } catch (KernelException | IllegalStateException e) {
        return new byte[0];
      }
      if (!readable.await()) {
        return new byte[0];
      }
    }
  }

  /// Sends a request that is answered: the errno, 0 if it was done.
  ///
  /// @throws PeapodException FAILED_PRECONDITION if the monitor has hung up
  int ask(byte[] message) {
    byte[] answer = send(message) ? receive() : new byte[0];
    if (answer.length != 5 || answer[0] != DONE) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION, "the container's monitor has hung up: the container has ended");
    }
    return ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getInt(1);
  }

  /// One request on a connection of its own, so that nothing is before it.
  static int ask(EventLoop loop, Path path, byte[] message) {
    try (MonitorSocket socket = new MonitorSocket(loop, path)) {
      return socket.ask(message);
    }
  }

  /// What [#RESIZE] is asked with.
  static byte[] resize(int rows, int columns) {
    return ByteBuffer.allocate(5)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) RESIZE)
        .putShort((short) rows)
        .putShort((short) columns)
        .array();
  }

  @Override
  public void close() {
    readable.end();
    writable.end();
    sending.close();
    socket.close();
  }
}
