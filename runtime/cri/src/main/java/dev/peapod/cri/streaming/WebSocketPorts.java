package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.util.ArrayList;
import java.util.List;

/// Ports over WebSocket without the tunnel, `v4.channel.k8s.io`, as clients other than kubectl speak it: one connection to
/// each port that the request named. The first byte of each binary message says which stream it belongs to: 2n is the
/// data of the n-th port, 2n + 1 what goes wrong with it; the first message of each has the port in two bytes, the lower
/// first. A stream has no end of its own: when all connections have ended, the WebSocket does.
final class WebSocketPorts extends SimpleChannelInboundHandler<WebSocketFrame> {
  /// How many ports have streams whose numbers fit into a byte.
  static final int MOST = 127;

  private static final int NORMAL = 1000;

  private final Channel client;
  private final Ticket.PortForward ticket;
  private final PortConnections connections;
  private final List<ClientStream> data = new ArrayList<>();
  private int open;

  WebSocketPorts(Channel client, Ticket.PortForward ticket) {
    this.client = client;
    this.ticket = ticket;
    this.connections = new PortConnections(client, ticket);
  }

  /// To be called once the handshake is done.
  void start() {
    open = ticket.ports().size();
    for (int port : ticket.ports()) {
      Part bytes = new Part(2 * data.size(), true);
      Part error = new Part(2 * data.size() + 1, false);
      data.add(bytes);
      bytes.send(Unpooled.buffer(2).writeShortLE(port));
      error.send(Unpooled.buffer(2).writeShortLE(port));
      connections.connect(bytes, error, port);
    }
  }

  /// A stream by the number in its messages.
  private final class Part extends ClientStream {
    private final int number;
    private final boolean connection;

    Part(int number, boolean connection) {
      super(client);
      this.number = number;
      this.connection = connection;
    }

    @Override
    BinaryWebSocketFrame frame(ByteBuf bytes, boolean last) {
      return new BinaryWebSocketFrame(
          Unpooled.wrappedBuffer(Unpooled.buffer(1).writeByte(number), bytes));
    }

    @Override
    ChannelFuture finish(ByteBuf last) {
      ChannelFuture written = last.isReadable() ? send(last) : client.newSucceededFuture();
      return connection && --open == 0 ? end() : written;
    }

    @Override
    void tellReset(Channel to) {
      end();
    }
  }

  private ChannelFuture end() {
    ChannelFuture written = client.writeAndFlush(new CloseWebSocketFrame(NORMAL, ""));
    Connections.endAfter(written);
    return written;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
    switch (frame) {
      case PingWebSocketFrame ping ->
          ctx.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      case CloseWebSocketFrame close -> end();
      case BinaryWebSocketFrame binary -> received(binary.content());
      default -> {}
    }
  }

  private void received(ByteBuf content) {
    if (content.isReadable()) {
      int number = content.readUnsignedByte();
      if (number % 2 == 0 && number / 2 < data.size() && content.isReadable()) {
        data.get(number / 2).received(content.retainedSlice());
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    connections.writabilityChanged();
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    connections.closed();
    data.forEach(ClientStream::breaks);
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Connections.broken(ctx, cause);
  }
}
