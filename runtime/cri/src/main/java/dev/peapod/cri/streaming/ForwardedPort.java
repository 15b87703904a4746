package dev.peapod.cri.streaming;

import dev.peapod.linux.Fd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One connection into a pod, on the thread of its client's connection. Either side's end is passed on;
/// a side that is behind holds the other one up.
final class ForwardedPort extends ChannelInboundHandlerAdapter implements ClientStream.Receiver {
  private static final WriteBufferWaterMark MARKS = new WriteBufferWaterMark(256 << 10, 1 << 20);

  private final Channel client;
  private final ClientStream data;
  private final ClientStream error;
  private final Consumer<ForwardedPort> whenDone;
  private @Nullable EpollSocketChannel target;
  private boolean outputEnded;

  ForwardedPort(
      Channel client, ClientStream data, ClientStream error, Consumer<ForwardedPort> whenDone) {
    this.client = client;
    this.data = data;
    this.error = error;
    this.whenDone = whenDone;
  }

  /// @param socket connected; its descriptor is the channel's from here on
  void start(Fd socket) {
    EpollSocketChannel channel = new EpollSocketChannel(socket.release());
    target = channel;
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    channel.config().setWriteBufferWaterMark(MARKS);
    channel.config().setAutoRead(client.isWritable());
    channel.pipeline().addLast(this);
    client.eventLoop().register(channel);
    data.receive(this);
  }

  void clientWritabilityChanged() {
    if (target != null) {
      target.config().setAutoRead(client.isWritable());
    }
  }

  // From the client.

  @Override
  public void received(ByteBuf bytes) {
    if (target == null) {
      bytes.release();
      return;
    }
    target.writeAndFlush(bytes);
    if (!target.isWritable()) {
      client.config().setAutoRead(false);
    }
  }

  @Override
  public void ended() {
    EpollSocketChannel channel = target;
    if (channel != null) {
      channel
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(
              written -> {
                channel.shutdownOutput();
                if (outputEnded) {
                  channel.close();
                }
              });
    }
  }

  @Override
  public void broken() {
    if (target != null) {
      target.close();
    }
  }

  // From the pod.

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes && !outputEnded) {
      data.send(bytes);
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      endOutput();
      if (target != null && target.isOutputShutdown()) {
        ctx.close();
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  private void endOutput() {
    if (!outputEnded) {
      outputEnded = true;
      data.finish(Unpooled.EMPTY_BUFFER);
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (ctx.channel().isWritable()) {
      client.config().setAutoRead(true);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    endOutput();
    error.finish(Unpooled.EMPTY_BUFFER);
    client.config().setAutoRead(true);
    whenDone.accept(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Connections.broken(ctx, cause);
  }
}
