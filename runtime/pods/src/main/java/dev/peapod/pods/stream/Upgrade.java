package dev.peapod.pods.stream;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/// Turns an HTTP connection into one of streams.
final class Upgrade extends SimpleChannelInboundHandler<FullHttpResponse> {
  private static final String SPDY = "SPDY/3.1";
  private static final String PROTOCOL_VERSION = "X-Stream-Protocol-Version";

  private final URI uri;
  private final String protocol;
  private final CompletableFuture<StreamConnection> opened;

  Upgrade(URI uri, String protocol, CompletableFuture<StreamConnection> opened) {
    this.uri = uri;
    this.protocol = protocol;
    this.opened = opened;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    String target =
        uri.getRawQuery() == null ? uri.getRawPath() : uri.getRawPath() + "?" + uri.getRawQuery();
    FullHttpRequest request =
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, target);
    request
        .headers()
        .set(HttpHeaderNames.HOST, uri.getAuthority())
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
        .set(HttpHeaderNames.UPGRADE, SPDY)
        .set(HttpHeaderNames.CONTENT_LENGTH, 0)
        .set(PROTOCOL_VERSION, protocol);
    ctx.writeAndFlush(request);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpResponse response) {
    if (!response.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS)) {
      String text = response.content().toString(StandardCharsets.UTF_8).strip();
      opened.completeExceptionally(
          new PeapodException(
              Kind.INTERNAL,
              "the runtime refused to stream: " + (text.isEmpty() ? response.status() : text)));
      ctx.close();
      return;
    }
    StreamConnection connection = new StreamConnection(ctx.channel());
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new SpdyFrameCodec(SpdyVersion.SPDY_3_1), connection);
    pipeline.remove(HttpObjectAggregator.class);
    pipeline.remove(this);
    // Last: what it has read ahead goes to those who follow.
    pipeline.remove(HttpClientCodec.class);
    if (!opened.complete(connection)) {
      connection.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    opened.completeExceptionally(
        new PeapodException(Kind.UNAVAILABLE, "the runtime hung up before it streamed"));
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    opened.completeExceptionally(
        new PeapodException(Kind.UNAVAILABLE, "the runtime does not stream: " + cause, cause));
    ctx.close();
  }
}
