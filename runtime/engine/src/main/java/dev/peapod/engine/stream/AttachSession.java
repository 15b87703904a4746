package dev.peapod.engine.stream;

import dev.peapod.engine.container.Container;
import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.ContainerState;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/// The streams of a container's main process, shared with its log and whoever else is attached.
final class AttachSession implements StreamSession {
  private static final int EUSERS = 87;
  private static final int WANT_INPUT = 1;
  private static final int WANT_OUTPUT = 2;
  private static final int ONCE = 4;
  private static final Duration SETTLING = Duration.ofSeconds(10);

  private final EventLoop loop;
  private final Container container;
  private final Path control;
  private final StreamOptions options;
  private final boolean takesInput;
  private final boolean once;
  private final MonitorSocket socket;
  private volatile boolean closed;

  /// Attaches at once; output from here on is not missed.
  AttachSession(EventLoop loop, Container container, Path control, StreamOptions options) {
    ContainerSpec spec = container.status().spec();
    this.loop = loop;
    this.container = container;
    this.control = control;
    this.options = options;
    this.takesInput = options.stdin() && spec.stdin();
    this.once = takesInput && spec.stdinOnce() && !spec.tty();
    // Output is wanted even where it is not passed on: its end is the container's.
    int flags = WANT_OUTPUT | (takesInput ? WANT_INPUT : 0) | (once ? ONCE : 0);
    this.socket = new MonitorSocket(loop, control);
    try {
      int errno = socket.ask(new byte[] {MonitorSocket.ATTACH, (byte) flags});
      if (errno == EUSERS) {
        throw new PeapodException(
            Kind.RESOURCE_EXHAUSTED, container.title() + " has 8 clients attached, which is the most");
      }
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  @Override
  public int run(Output output) throws IOException {
    while (true) {
      byte[] message = socket.receive();
      if (message.length == 0) {
        break;
      }
      byte[] bytes = Arrays.copyOfRange(message, 1, message.length);
      if (message[0] == MonitorSocket.STDOUT && options.stdout()) {
        output.stdout(bytes, bytes.length);
      } else if (message[0] == MonitorSocket.STDERR && options.stderr()) {
        output.stderr(bytes, bytes.length);
      }
    }
    if (closed || container.awaitExit(SETTLING) || container.state() != ContainerState.RUNNING) {
      return 0;
    }
    throw new PeapodException(
        Kind.RESOURCE_EXHAUSTED,
        "detached from " + container.title() + ": its output was not taken fast enough");
  }

  @Override
  public boolean write(byte[] bytes) {
    if (!takesInput) {
      return false;
    }
    for (int at = 0; at < bytes.length; at += MonitorSocket.INPUT_MAX) {
      int count = Math.min(MonitorSocket.INPUT_MAX, bytes.length - at);
      byte[] message = new byte[1 + count];
      message[0] = MonitorSocket.INPUT;
      System.arraycopy(bytes, at, message, 1, count);
      if (!socket.send(message)) {
        return false;
      }
    }
    return true;
  }

  /// Where the container asks for input once only, it ends for the container too.
  @Override
  public void endInput() {
    if (once) {
      socket.send(new byte[] {MonitorSocket.END_INPUT});
    }
  }

  @Override
  public void resize(int rows, int columns) {
    if (container.status().spec().tty()) {
      MonitorSocket.ask(loop, control, MonitorSocket.resize(rows, columns));
    }
  }

  @Override
  public void close() {
    closed = true;
    socket.close();
  }
}
