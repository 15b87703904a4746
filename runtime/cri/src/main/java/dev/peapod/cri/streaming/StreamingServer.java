package dev.peapod.cri.streaming;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Serves streams to whoever redeems a ticket: HTTP on a TCP port, upgraded to SPDY/3.1 or WebSocket.
///
/// With a port that is configured it listens from the start, else from the first ticket on. Thread-safe.
public final class StreamingServer implements AutoCloseable {
  private static final int LARGEST_REQUEST = 16 << 10;
  private static final WriteBufferWaterMark MARKS = new WriteBufferWaterMark(256 << 10, 1 << 20);

  private final StreamingConfig config;
  private final Tickets tickets = new Tickets(System::nanoTime);

  /// What there is once it listens.
  private record Listening(EventLoopGroup group, ChannelGroup channels, InetSocketAddress address) {}

  private @Nullable Listening listening;
  private boolean closed;

  /// @throws PeapodException if it can not listen at the configured address, or the certificate is none
  public StreamingServer(StreamingConfig config) {
    this.config = config;
    if (config.address().getPort() != 0) {
      listen();
    }
  }

  /// A URL that lets who has it stream once, within a minute.
  ///
  /// @throws PeapodException UNAVAILABLE if it can not listen, RESOURCE_EXHAUSTED if too many wait
  public String url(Ticket ticket) {
    InetSocketAddress address = listen().address();
    String scheme = config.tls().isPresent() ? "https" : "http";
    String host = host(address.getAddress());
    String token = tickets.issue(ticket);
    return scheme + "://" + host + ":" + address.getPort() + "/" + ticket.verb() + "/" + token;
  }

  private static String host(InetAddress address) {
    if (address.isAnyLocalAddress()) {
      return "127.0.0.1";
    }
    String text = address.getHostAddress();
    return text.indexOf(':') < 0 ? text : "[" + text + "]";
  }

  private synchronized Listening listen() {
    if (closed) {
      throw new PeapodException(Kind.UNAVAILABLE, "the daemon is ending");
    }
    if (listening == null) {
      listening = open();
    }
    return listening;
  }

  private Listening open() {
    Optional<SslContext> tls = config.tls().map(StreamingServer::context);
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("streaming", true), EpollIoHandler.newFactory());
    ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, MARKS)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    channels.add(channel);
                    tls.ifPresent(
                        context -> channel.pipeline().addLast(context.newHandler(channel.alloc())));
                    channel
                        .pipeline()
                        .addLast(
                            new HttpServerCodec(),
                            new HttpObjectAggregator(LARGEST_REQUEST),
                            new HttpGate(tickets));
                  }
                });
    ChannelFuture bound = bootstrap.bind(config.address()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      String text = "the streaming server can not listen at " + config.address();
      throw new PeapodException(Kind.UNAVAILABLE, text + ": " + bound.cause(), bound.cause());
    }
    Channel server = bound.channel();
    channels.add(server);
    return new Listening(group, channels, (InetSocketAddress) server.localAddress());
  }

  private static SslContext context(StreamingConfig.Tls tls) {
    try {
      return SslContextBuilder.forServer(tls.certificate().toFile(), tls.key().toFile()).build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new PeapodException(
          Kind.INVALID,
          "streaming TLS: " + tls.certificate() + " or " + tls.key() + " can not be used: " + e.getMessage(),
          e);
    }
  }

  /// Ends all streams.
  @Override
  public void close() {
    Listening open;
    synchronized (this) {
      closed = true;
      open = listening;
      listening = null;
    }
    if (open != null) {
      open.channels().close().awaitUninterruptibly(1, TimeUnit.SECONDS);
      open.group().shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }
  }
}
