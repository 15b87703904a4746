package dev.peapod.pods.stream;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Connects to the streaming server of a CRI runtime, by SPDY/3.1, which all of them speak.
/// Thread-safe; nothing is started before the first connection.
public final class StreamClient implements AutoCloseable {
  /// What exec and attach are spoken with.
  public static final String REMOTE_COMMAND = "v4.channel.k8s.io";

  /// What ports are forwarded with.
  public static final String PORT_FORWARD = "portforward.k8s.io";

  private static final int LARGEST_ANSWER = 64 << 10;
  private static final int CONNECT_MILLIS = 10_000;
  private static final int UPGRADE_SECONDS = 30;
  private static final WriteBufferWaterMark MARKS = new WriteBufferWaterMark(64 << 10, 256 << 10);

  private @Nullable EventLoopGroup group;
  private boolean closed;

  /// Opens the connection that a runtime's answer leads to.
  ///
  /// @param url such as `http://127.0.0.1:4711/exec/token`
  /// @throws PeapodException UNAVAILABLE if it can not be reached, or saying why it refused
  public StreamConnection connect(String url, String protocol) throws InterruptedException {
    URI uri = URI.create(url);
    boolean tls = "https".equals(uri.getScheme());
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
    String host = uri.getHost().replace("[", "").replace("]", "");
    InetSocketAddress address = new InetSocketAddress(host, port);
    if (address.getAddress() == null) {
      throw unreachable(uri, "there is no such host");
    }
    CompletableFuture<StreamConnection> opened = new CompletableFuture<>();
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group())
            .channel(NioSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, MARKS)
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) throws IOException {
                    if (tls) {
                      channel
                          .pipeline()
                          .addLast(
                              context(address.getAddress())
                                  .newHandler(channel.alloc(), host, port));
                    }
                    channel
                        .pipeline()
                        .addLast(
                            new HttpClientCodec(),
                            new HttpObjectAggregator(LARGEST_ANSWER),
                            new Upgrade(uri, protocol, opened));
                  }
                });
    bootstrap
        .connect(address)
        .addListener(
            connected -> {
              if (!connected.isSuccess()) {
                opened.completeExceptionally(
                    unreachable(uri, String.valueOf(connected.cause().getMessage())));
              }
            });
    try {
      return opened.get(UPGRADE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PeapodException known) {
        throw known;
      }
      throw unreachable(uri, String.valueOf(e.getCause()));
    } catch (TimeoutException e) {
      opened.whenComplete((late, failure) -> closeLate(late));
      throw unreachable(uri, "it does not answer");
    } catch (InterruptedException e) {
      opened.whenComplete((late, failure) -> closeLate(late));
      throw e;
    }
  }

  private static void closeLate(@Nullable StreamConnection late) {
    if (late != null) {
      late.close();
    }
  }

  private static PeapodException unreachable(URI uri, String why) {
    return new PeapodException(
        Kind.UNAVAILABLE,
        "the runtime's streaming server at " + uri.getAuthority() + " can not be used: " + why);
  }

  /// A runtime on this machine shows a certificate that it made itself.
  private static SslContext context(InetAddress address) throws IOException {
    SslContextBuilder builder = SslContextBuilder.forClient();
    if (address.isLoopbackAddress()) {
      builder.trustManager(InsecureTrustManagerFactory.INSTANCE).endpointIdentificationAlgorithm("");
    }
    return builder.build();
  }

  private synchronized EventLoopGroup group() {
    if (closed) {
      throw new PeapodException(Kind.UNAVAILABLE, "the daemon is stopping");
    }
    if (group == null) {
      group =
          new MultiThreadIoEventLoopGroup(
              1, new DefaultThreadFactory("streams", true), NioIoHandler.newFactory());
    }
    return group;
  }

  /// Ends all connections.
  @Override
  public synchronized void close() {
    closed = true;
    if (group != null) {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
