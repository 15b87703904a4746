package dev.peapod.cri.streaming;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The server's side of SPDY/3.1 as Kubernetes' clients speak it: they open all streams, and nobody
/// counts windows; a side that is behind stops reading.
final class SpdyConnection extends SimpleChannelInboundHandler<SpdyFrame> {
  /// What the streams are for.
  interface Use {
    /// A stream has been opened: whether it is wanted.
    ///
    /// @param headers by lower-case name
    boolean opened(SpdyStream stream, Map<String, String> headers);

    /// The channel has become writable, or not writable, or has gone.
    void writabilityChanged();

    /// The connection has ended.
    void closed();
  }

  private static final int MOST_STREAMS = 1000;

  private final Use use;
  private final Map<Integer, SpdyStream> streams = new HashMap<>();

  SpdyConnection(Use use) {
    this.use = use;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, SpdyFrame frame) {
    switch (frame) {
      case SpdySynStreamFrame opened -> open(ctx, opened);
      case SpdyDataFrame data -> {
        SpdyStream stream = streams.get(data.streamId());
        if (stream == null) {
          // It was reset while this was on its way.
          return;
        }
        if (data.content().isReadable()) {
          stream.received(data.content().retain());
        }
        if (data.isLast()) {
          stream.ended();
        }
        forgetIfDone(stream);
      }
      case SpdyRstStreamFrame reset -> {
        SpdyStream stream = streams.remove(reset.streamId());
        if (stream != null) {
          stream.breaks();
        }
      }
      // Odd numbers are the client's.
      case SpdyPingFrame ping when ping.id() % 2 != 0 -> ctx.writeAndFlush(ping);
      case SpdyGoAwayFrame away -> ctx.close();
      default -> {}
    }
  }

  private void open(ChannelHandlerContext ctx, SpdySynStreamFrame opened) {
    int id = opened.streamId();
    Map<String, String> headers = new HashMap<>();
    opened.headers().forEach(h -> headers.put(h.getKey().toString(), h.getValue().toString()));
    SpdyStream stream = new SpdyStream(ctx.channel(), id);
    streams.values().removeIf(SpdyStream::isDone);
    if (opened.isInvalid()
        || streams.containsKey(id)
        || streams.size() >= MOST_STREAMS
        || !use.opened(stream, headers)) {
      ctx.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.REFUSED_STREAM));
      return;
    }
    streams.put(id, stream);
    SpdySynReplyFrame reply = new DefaultSpdySynReplyFrame(id);
    // Without any header the block would be left out, and clients expect one.
    reply.headers().set("status", "200");
    ctx.writeAndFlush(reply);
    if (opened.isLast()) {
      stream.ended();
    }
  }

  private void forgetIfDone(SpdyStream stream) {
    if (stream.isDone()) {
      streams.remove(stream.id());
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    use.writabilityChanged();
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    List.copyOf(streams.values()).forEach(SpdyStream::breaks);
    streams.clear();
    use.closed();
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Connections.broken(ctx, cause);
  }
}
