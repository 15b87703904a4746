package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.io.IOException;

/// A remote command over WebSocket, `v4.channel.k8s.io` or `v5.channel.k8s.io`: the first byte of each
/// binary message says which stream it belongs to.
final class WebSocketCommand extends SimpleChannelInboundHandler<WebSocketFrame>
    implements CommandChannels {
  static final String V4 = "v4.channel.k8s.io";
  static final String V5 = "v5.channel.k8s.io";

  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int STATUS = 3;
  private static final int RESIZE = 4;
  // Of version 5: the stream named by the second byte has ended.
  private static final int CLOSE = 255;
  private static final int NORMAL = 1000;

  private final Channel channel;
  private final boolean halfClose;
  private final StreamOptions options;
  private final Outgoing outgoing;
  private final RemoteCommand command;

  WebSocketCommand(Channel channel, String protocol, Ticket.Command ticket) {
    this.channel = channel;
    this.halfClose = protocol.equals(V5);
    this.options = ticket.options();
    this.outgoing = new Outgoing(channel);
    this.command = new RemoteCommand(ticket, this);
  }

  /// To be called once the handshake is done.
  void start() {
    // As Kubernetes' own server: an empty message tells that the streams are there.
    int first = options.stdout() ? STDOUT : options.stderr() ? STDERR : STATUS;
    channel.writeAndFlush(message(first, new byte[0], 0));
    command.start();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
    switch (frame) {
      case PingWebSocketFrame ping ->
          ctx.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      case CloseWebSocketFrame close -> {
        Connections.endAfter(ctx.writeAndFlush(new CloseWebSocketFrame(NORMAL, "")));
        command.gone();
      }
      case BinaryWebSocketFrame binary -> received(binary.content());
      default -> {}
    }
  }

  private void received(ByteBuf content) {
    if (!content.isReadable()) {
      return;
    }
    int stream = content.readUnsignedByte();
    byte[] bytes = new byte[content.readableBytes()];
    content.readBytes(bytes);
    if (stream == STDIN) {
      command.input(bytes);
    } else if (stream == RESIZE) {
      command.resize(bytes);
    } else if (stream == CLOSE && halfClose && bytes.length == 1 && bytes[0] == STDIN) {
      command.endInput();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    outgoing.changed();
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    outgoing.changed();
    command.gone();
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Connections.broken(ctx, cause);
  }

  private static BinaryWebSocketFrame message(int stream, byte[] bytes, int count) {
    ByteBuf content = Unpooled.buffer(1 + count);
    content.writeByte(stream).writeBytes(bytes, 0, count);
    return new BinaryWebSocketFrame(content);
  }

  @Override
  public void stdout(byte[] bytes, int count) throws IOException {
    outgoing.write(message(STDOUT, bytes, count));
  }

  @Override
  public void stderr(byte[] bytes, int count) throws IOException {
    outgoing.write(message(STDERR, bytes, count));
  }

  @Override
  public void finish(byte[] status) {
    channel.write(message(STATUS, status, status.length));
    Connections.endAfter(channel.writeAndFlush(new CloseWebSocketFrame(NORMAL, "")));
  }

  @Override
  public void receiving(boolean on) {
    channel.config().setAutoRead(on);
  }
}
