package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageCodec;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.util.List;

/// Carries another protocol's bytes in the binary messages of a WebSocket.
final class WebSocketTunnel extends MessageToMessageCodec<WebSocketFrame, ByteBuf> {
  private static final int NORMAL = 1000;

  @Override
  protected void encode(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out) {
    out.add(new BinaryWebSocketFrame(bytes.retain()));
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, WebSocketFrame frame, List<Object> out) {
    switch (frame) {
      case PingWebSocketFrame ping ->
          ctx.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      case CloseWebSocketFrame close ->
          Connections.endAfter(ctx.writeAndFlush(new CloseWebSocketFrame(NORMAL, "")));
      case BinaryWebSocketFrame binary -> out.add(binary.content().retain());
      default -> {}
    }
  }
}
