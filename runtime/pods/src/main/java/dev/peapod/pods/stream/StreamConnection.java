package dev.peapod.pods.stream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.spdy.DefaultSpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The client's side of SPDY/3.1 as Kubernetes speaks it: the client opens all streams, and nobody
/// counts windows; who is behind stops reading. Thread-safe. Closing it is how a caller leaves.
public final class StreamConnection extends SimpleChannelInboundHandler<SpdyFrame>
    implements AutoCloseable {
  /// What may wait to be read of all streams together, bytes.
  private static final int MOST_UNREAD = 1 << 20;

  private final Channel channel;
  private final Map<Integer, RemoteStream> streams = new ConcurrentHashMap<>();
  private final AtomicInteger unread = new AtomicInteger();
  private int nextId = 1;

  StreamConnection(Channel channel) {
    this.channel = channel;
  }

  /// Opens a stream; what it is for is in its headers.
  ///
  /// @param headers by lower-case name
  public synchronized RemoteStream open(Map<String, String> headers) {
    int id = nextId;
    nextId += 2;
    RemoteStream stream = new RemoteStream(this, channel, id);
    streams.put(id, stream);
    DefaultSpdySynStreamFrame frame = new DefaultSpdySynStreamFrame(id, 0, (byte) 0);
    headers.forEach((name, value) -> frame.headers().set(name, value));
    channel.writeAndFlush(frame);
    if (!channel.isActive()) {
      stream.ended();
    }
    return stream;
  }

  /// Has something done at a later time, on the connection's own thread.
  public void after(long seconds, Runnable action) {
    channel.eventLoop().schedule(action, seconds, TimeUnit.SECONDS);
  }

  /// Whether the other side is still there.
  public boolean isOpen() {
    return channel.isActive();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, SpdyFrame frame) {
    switch (frame) {
      case SpdyDataFrame data -> {
        RemoteStream stream = streams.get(data.streamId());
        if (stream == null) {
          return;
        }
        byte[] bytes = new byte[data.content().readableBytes()];
        data.content().readBytes(bytes);
        if (bytes.length > 0) {
          if (unread.addAndGet(bytes.length) > MOST_UNREAD) {
            channel.config().setAutoRead(false);
          }
          stream.received(bytes);
        }
        if (data.isLast()) {
          stream.ended();
        }
      }
      case SpdySynReplyFrame reply when reply.isLast() -> endOf(reply.streamId());
      case SpdyRstStreamFrame reset -> endOf(reset.streamId());
      case SpdySynStreamFrame opened -> ctx.close();
      // Even numbers are the server's.
      case SpdyPingFrame ping when ping.id() % 2 == 0 -> ctx.writeAndFlush(ping);
      case SpdyGoAwayFrame away -> ctx.close();
      default -> {}
    }
  }

  private void endOf(int id) {
    RemoteStream stream = streams.get(id);
    if (stream != null) {
      stream.ended();
    }
  }

  /// Somebody has taken what a stream had.
  void taken(int bytes) {
    int left = unread.addAndGet(-bytes);
    if (left <= MOST_UNREAD && left + bytes > MOST_UNREAD) {
      channel.config().setAutoRead(true);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    streams.values().forEach(RemoteStream::ended);
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public void close() {
    channel.close();
  }
}
