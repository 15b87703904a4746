package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// One stream of several on a client's connection. For the connection's thread, but for what is said otherwise.
abstract class ClientStream {
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
  private final Deque<ByteBuf> pending = new ArrayDeque<>();
  private int pendingBytes;
  private @Nullable Receiver receiver;
  private boolean remoteEnded;
  private boolean localEnded;
  private boolean broken;

  ClientStream(Channel channel) {
    this.channel = channel;
  }

  /// Tells the client that the stream is broken off.
  abstract void tellReset(Channel to);

  /// A message for it, to be written to the channel by whoever sends; any thread may make it.
  abstract Object frame(ByteBuf data, boolean last);

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
      tellReset(channel);
      breaks();
    }
  }
}
