package dev.peapod.pods.stream;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// One stream of a connection. One thread reads and one writes; both block.
public final class RemoteStream {
  private static final byte[] END = new byte[0];

  private final StreamConnection connection;
  private final Channel channel;
  private final int id;
  private final BlockingQueue<byte[]> incoming = new LinkedBlockingQueue<>();
  private boolean over;

  RemoteStream(StreamConnection connection, Channel channel, int id) {
    this.connection = connection;
    this.channel = channel;
    this.id = id;
  }

  /// Waits for what comes next; nothing (an empty array) is the end.
  public byte[] read() throws InterruptedException {
    if (over) {
      return END;
    }
    byte[] next = incoming.take();
    over = next.length == 0;
    connection.taken(next.length);
    return next;
  }

  /// Waits for all that still comes, up to the end.
  public byte[] readAll() throws InterruptedException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part = read(); part.length > 0; part = read()) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /// Writes, waiting until it is on its way: false if nobody takes it any more.
  public boolean write(byte[] bytes) throws InterruptedException {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(id, Unpooled.wrappedBuffer(bytes));
    ChannelFuture written = channel.writeAndFlush(frame);
    return written.await().isSuccess();
  }

  /// Ends this side; what comes can still be read.
  public void end() {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(id);
    frame.setLast(true);
    channel.writeAndFlush(frame);
  }

  void received(byte[] bytes) {
    incoming.add(bytes);
  }

  /// Nothing more comes; told twice at the most.
  void ended() {
    incoming.add(END);
  }
}
