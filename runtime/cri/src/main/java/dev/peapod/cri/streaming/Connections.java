package dev.peapod.cri.streaming;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;

/// What all kinds of connection have in common at their end.
final class Connections {
  private static final Logger LOG = System.getLogger(Connections.class.getName());
  private static final long LINGER_SECONDS = 5;

  private Connections() {}

  /// Ends our half once everything written has gone; the rest ends with the client, or soon after. To
  /// close at once would take back what the client has not read.
  ///
  /// @param last the last write
  static void endAfter(ChannelFuture last) {
    last.addListener(
        written -> {
          Channel channel = last.channel();
          if (channel instanceof SocketChannel socket
              && channel.pipeline().get(SslHandler.class) == null) {
            socket.shutdownOutput();
          }
          // What is still sent to us is read and dropped.
          channel.config().setAutoRead(true);
          channel.eventLoop().schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
        });
  }

  /// Ends a connection that does not keep to its protocol, or that the network took.
  static void broken(ChannelHandlerContext ctx, Throwable cause) {
    LOG.log(Level.DEBUG, "a streaming connection is broken", cause);
    ctx.close();
  }
}
