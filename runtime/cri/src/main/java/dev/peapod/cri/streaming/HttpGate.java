package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker13;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The HTTP request that every stream begins with: its path carries the token, its headers say what the
/// connection becomes.
final class HttpGate extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final String SPDY = "SPDY/3.1";
  private static final String PROTOCOL_VERSION = "X-Stream-Protocol-Version";
  private static final int LARGEST_MESSAGE = 16 << 20;

  private final Tickets tickets;

  HttpGate(Tickets tickets) {
    this.tickets = tickets;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
    String upgrade = request.headers().get(HttpHeaderNames.UPGRADE, "");
    boolean spdy = upgrade.equalsIgnoreCase(SPDY);
    if (!spdy && !upgrade.equalsIgnoreCase("websocket")) {
      refuse(ctx, HttpResponseStatus.BAD_REQUEST, "upgrade to SPDY/3.1 or websocket to stream here");
      return;
    }
    String[] path = request.uri().split("[/?]", 4);
    Optional<Ticket> ticket =
        path.length < 3 || !path[0].isEmpty()
            ? Optional.empty()
            : tickets.redeem(path[1], path[2]);
    if (ticket.isEmpty()) {
      refuse(ctx, HttpResponseStatus.NOT_FOUND, "this URL was used, or has expired, or never was");
      return;
    }
    List<String> spoken =
        switch (ticket.get()) {
          case Ticket.Command command ->
              spdy
                  ? List.of(WebSocketCommand.V4)
                  : List.of(WebSocketCommand.V5, WebSocketCommand.V4);
          case Ticket.PortForward forward ->
              spdy
                  ? List.of(PortForwarding.PROTOCOL)
                  : List.of(PortForwarding.TUNNEL, WebSocketCommand.V4);
        };
    CharSequence header = spdy ? PROTOCOL_VERSION : HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL;
    Optional<String> protocol = offered(request.headers(), header).filter(spoken::contains).findFirst();
    if (!spdy
        && ticket.get() instanceof Ticket.PortForward ports
        && protocol.equals(Optional.of(WebSocketCommand.V4))
        && (ports.ports().isEmpty() || ports.ports().size() > WebSocketPorts.MOST)) {
      refuse(
          ctx,
          HttpResponseStatus.BAD_REQUEST,
          "with " + WebSocketCommand.V4 + " the request has to name 1 to 127 ports");
    } else if (protocol.isEmpty()) {
      refuse(ctx, HttpResponseStatus.FORBIDDEN, header + " must be one of " + spoken);
    } else if (spdy) {
      becomeSpdy(ctx, ticket.get(), protocol.get());
    } else {
      becomeWebSocket(ctx, request, ticket.get(), protocol.get());
    }
  }

  /// In the client's order.
  private static Stream<String> offered(HttpHeaders headers, CharSequence name) {
    return headers.getAll(name).stream()
        .flatMap(value -> Stream.of(value.split(",")))
        .map(String::strip);
  }

  private static void refuse(ChannelHandlerContext ctx, HttpResponseStatus status, String text) {
    ByteBuf body = Unpooled.copiedBuffer(text + "\n", StandardCharsets.UTF_8);
    FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN)
        .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }

  private void becomeSpdy(ChannelHandlerContext ctx, Ticket ticket, String protocol) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
    response
        .headers()
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
        .set(HttpHeaderNames.UPGRADE, SPDY)
        .set(PROTOCOL_VERSION, protocol);
    ctx.writeAndFlush(response);
    ChannelPipeline pipeline = ctx.pipeline();
    addSpdy(ctx, ticket);
    pipeline.remove(HttpObjectAggregator.class);
    pipeline.remove(this);
    // Last: what it has read ahead goes to those who follow.
    pipeline.remove(HttpServerCodec.class);
  }

  private static void addSpdy(ChannelHandlerContext ctx, Ticket ticket) {
    SpdyConnection.Use use =
        switch (ticket) {
          case Ticket.Command command -> {
            SpdyCommand streams = new SpdyCommand(ctx.channel(), command);
            streams.expectStreams();
            yield streams;
          }
          case Ticket.PortForward forward -> new PortForwarding(ctx.channel(), forward);
        };
    ctx.pipeline().addLast(new SpdyFrameCodec(SpdyVersion.SPDY_3_1), new SpdyConnection(use));
  }

  private void becomeWebSocket(
      ChannelHandlerContext ctx, FullHttpRequest request, Ticket ticket, String protocol) {
    WebSocketDecoderConfig config =
        WebSocketDecoderConfig.newBuilder().maxFramePayloadLength(LARGEST_MESSAGE).build();
    new WebSocketServerHandshaker13(request.uri(), protocol, config)
        .handshake(ctx.channel(), request)
        .addListener(
            shaken -> {
              if (!shaken.isSuccess()) {
                ctx.close();
              }
            });
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new WebSocketFrameAggregator(LARGEST_MESSAGE));
    switch (ticket) {
      case Ticket.Command command -> {
        WebSocketCommand handler = new WebSocketCommand(ctx.channel(), protocol, command);
        pipeline.addLast(handler);
        pipeline.remove(this);
        // After the handshake's own write, which is before it on the same thread.
        ctx.channel().eventLoop().execute(handler::start);
      }
      case Ticket.PortForward forward when protocol.equals(WebSocketCommand.V4) -> {
        WebSocketPorts handler = new WebSocketPorts(ctx.channel(), forward);
        pipeline.addLast(handler);
        pipeline.remove(this);
        ctx.channel().eventLoop().execute(handler::start);
      }
      case Ticket.PortForward forward -> {
        pipeline.addLast(new WebSocketTunnel());
        addSpdy(ctx, forward);
        pipeline.remove(this);
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Connections.broken(ctx, cause);
  }
}
