package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// One stream of an SPDY connection that a client has opened. For the connection's thread, but for what
/// is said otherwise.
final class SpdyStream {
  /// Takes what the client sends.
  interface Receiver {
    /// @param data the receiver's to release
    void received(ByteBuf data);

    /// The client sends no more.
    void ended();

    /// The stream is broken, or its connection.
    void broken();
  }

  /// What a client may send before somebody takes it, bytes.
  private static final int MOST_PENDING = 1 << 20;

  private final Channel channel;
  private final int id;
  private final Deque<ByteBuf> pending = new ArrayDeque<>();
  private int pendingBytes;
  private @Nullable Receiver receiver;
  private boolean remoteEnded;
  private boolean localEnded;
  private boolean broken;

  SpdyStream(Channel channel, int id) {
    this.channel = channel;
    this.id = id;
  }

  int id() {
    return id;
  }

  /// Has what has come and what comes go to this receiver.
  void receive(Receiver next) {
    receiver = next;
    ByteBuf data;
    while ((data = pending.poll()) != null) {
      next.received(data);
    }
    pendingBytes = 0;
    if (broken) {
      next.broken();
    } else if (remoteEnded) {
      next.ended();
    }
  }

  /// Data from the client.
  void received(ByteBuf data) {
    if (remoteEnded || broken) {
      data.release();
    } else if (receiver != null) {
      receiver.received(data);
    } else if (pendingBytes + data.readableBytes() > MOST_PENDING) {
      data.release();
      reset();
    } else {
      pendingBytes += data.readableBytes();
      pending.add(data);
    }
  }

  void ended() {
    if (!remoteEnded && !broken) {
      remoteEnded = true;
      if (receiver != null) {
        receiver.ended();
      }
    }
  }

  void breaks() {
    if (!broken) {
      broken = true;
      pending.forEach(ByteBuf::release);
      pending.clear();
      if (receiver != null) {
        receiver.broken();
      }
    }
  }

  /// Whether nothing goes over it in either direction any more.
  boolean isDone() {
    return broken || localEnded && remoteEnded;
  }

  /// A message for it, to be written to the channel by whoever sends; any thread may make it.
  SpdyDataFrame frame(ByteBuf data, boolean last) {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(id, data);
    frame.setLast(last);
    return frame;
  }

  /// Sends data; any thread may.
  ChannelFuture send(ByteBuf data) {
    return channel.writeAndFlush(frame(data, false));
  }

  /// Sends the last data, or none, and ends this side.
  ChannelFuture finish(ByteBuf last) {
    localEnded = true;
    return channel.writeAndFlush(frame(last, true));
  }

  /// Breaks it off.
  void reset() {
    if (!isDone()) {
      channel.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
      breaks();
    }
  }
}
