package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A remote command over SPDY, `v4.channel.k8s.io`: a stream for each of its streams, named by the header
/// `streamtype`.
final class SpdyCommand implements SpdyConnection.Use, CommandChannels {
  private static final String TYPE = "streamtype";
  private static final String ERROR = "error";
  private static final String STDIN = "stdin";
  private static final String STDOUT = "stdout";
  private static final String STDERR = "stderr";
  private static final String RESIZE = "resize";
  private static final long STREAMS_SECONDS = 30;

  private final Channel channel;
  private final StreamOptions options;
  private final Outgoing outgoing;
  private final RemoteCommand command;
  private final Map<String, SpdyStream> streams = new HashMap<>();
  private volatile @Nullable SpdyStream out;
  private volatile @Nullable SpdyStream err;
  private boolean started;

  SpdyCommand(Channel channel, Ticket.Command ticket) {
    this.channel = channel;
    this.options = ticket.options();
    this.outgoing = new Outgoing(channel);
    this.command = new RemoteCommand(ticket, this);
  }

  /// Gives a client that does not open its streams up.
  void expectStreams() {
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (!started) {
                channel.close();
              }
            },
            STREAMS_SECONDS,
            TimeUnit.SECONDS);
  }

  @Override
  public boolean opened(SpdyStream stream, Map<String, String> headers) {
    String type = headers.getOrDefault(TYPE, "");
    boolean wanted =
        switch (type) {
          case ERROR -> true;
          case STDIN -> options.stdin();
          case STDOUT -> options.stdout();
          case STDERR -> options.stderr();
          case RESIZE -> options.tty();
          default -> false;
        };
    if (!wanted || streams.putIfAbsent(type, stream) != null) {
      return false;
    }
    switch (type) {
      case STDIN -> stream.receive(new Passed(command::input, command::endInput));
      case RESIZE -> stream.receive(new Passed(command::resize, () -> {}));
      case STDOUT -> out = stream;
      case STDERR -> err = stream;
      default -> {}
    }
    if (!started && complete()) {
      started = true;
      command.start();
    }
    return true;
  }

  private boolean complete() {
    return streams.containsKey(ERROR)
        && streams.containsKey(STDIN) == options.stdin()
        && streams.containsKey(STDOUT) == options.stdout()
        && streams.containsKey(STDERR) == options.stderr()
        && streams.containsKey(RESIZE) == options.tty();
  }

  /// Copies what comes; a broken stream is an ended one.
  private record Passed(Consumer<byte[]> to, Runnable end) implements ClientStream.Receiver {
    @Override
    public void received(ByteBuf data) {
      byte[] bytes = new byte[data.readableBytes()];
      data.readBytes(bytes);
      data.release();
      to.accept(bytes);
    }

    @Override
    public void ended() {
      end.run();
    }

    @Override
    public void broken() {
      end.run();
    }
  }

  @Override
  public void stdout(byte[] bytes, int count) throws IOException {
    write(out, bytes, count);
  }

  @Override
  public void stderr(byte[] bytes, int count) throws IOException {
    write(err, bytes, count);
  }

  private void write(@Nullable SpdyStream stream, byte[] bytes, int count) throws IOException {
    if (stream == null) {
      throw new ClosedChannelException();
    }
    outgoing.write(stream.frame(Unpooled.copiedBuffer(bytes, 0, count), false));
  }

  @Override
  public void finish(byte[] status) {
    channel.eventLoop().execute(() -> finishStreams(status));
  }

  private void finishStreams(byte[] status) {
    for (String type : new String[] {STDOUT, STDERR}) {
      SpdyStream stream = streams.get(type);
      if (stream != null) {
        stream.finish(Unpooled.EMPTY_BUFFER);
      }
    }
    SpdyStream error = streams.get(ERROR);
    if (error != null) {
      Connections.endAfter(error.finish(Unpooled.wrappedBuffer(status)));
    }
  }

  @Override
  public void receiving(boolean on) {
    channel.config().setAutoRead(on);
  }

  @Override
  public void writabilityChanged() {
    outgoing.changed();
  }

  @Override
  public void closed() {
    outgoing.changed();
    command.gone();
  }
}
