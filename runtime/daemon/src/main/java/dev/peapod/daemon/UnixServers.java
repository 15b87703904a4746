package dev.peapod.daemon;

import dev.peapod.error.PeapodException;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.util.MutableHandlerRegistry;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// gRPC servers on unix sockets that share their event loops. Handlers run on the given executor and may block.
final class UnixServers implements AutoCloseable {
  /// Bytes of the largest request that is read.
  static final int LARGEST_MESSAGE = 16 * 1024 * 1024;

  // Handlers run elsewhere: one loop moves the bytes of all connections.
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("sockets", true), EpollIoHandler.newFactory());
  private final UnaryCalls calls;

  UnixServers(Executor handlers) {
    this.calls = new UnaryCalls(handlers);
  }

  /// Listens; who connects waits until the server has its services. A socket that nobody listens on any more is replaced.
  ///
  /// @param permissions of the socket, such as `rw-rw----`
  /// @throws PeapodException FAILED_PRECONDITION if somebody listens there, INVALID if the path can not be used
  UnixServer listen(Path socket, String permissions) {
    clear(socket);
    EpollServerDomainSocketChannel channel = new EpollServerDomainSocketChannel();
    MutableHandlerRegistry services = new MutableHandlerRegistry();
    Server server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .channelFactory(() -> channel)
            .withOption(ChannelOption.AUTO_READ, false)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            // Not an option of unix sockets; Netty would warn for each connection.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .directExecutor()
            .callExecutor(calls)
            .intercept(calls)
            .fallbackHandlerRegistry(services)
            .build();
    try {
      server.start();
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString(permissions));
      return new UnixServer(server, channel, services);
    } catch (IOException e) {
      server.shutdownNow();
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          "can not listen on %s: %s".formatted(socket, cause(e)),
          e);
    }
  }

  /// A channel to somebody else's socket, which may come to answer later. The caller closes it.
  ///
  /// @param answers where answers are taken
  ManagedChannel connect(Path socket, Executor answers) {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
        .channelType(EpollDomainSocketChannel.class)
        .eventLoopGroup(loops)
        .withOption(ChannelOption.SO_KEEPALIVE, null)
        .overrideAuthority("localhost")
        .usePlaintext()
        .executor(answers)
        .maxInboundMessageSize(LARGEST_MESSAGE)
        .build();
  }

  private static void clear(Path socket) {
    try {
      Files.createDirectories(socket.getParent());
      if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      if (((Integer) Files.getAttribute(socket, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0170000)
          != 0140000) {
        throw PeapodException.invalid(
            "can not listen on " + socket + ": there is something that is not a socket");
      }
      if (answers(socket)) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "can not listen on " + socket + ": another process does");
      }
      Files.delete(socket);
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, "can not listen on %s: %s".formatted(socket, e), e);
    }
  }

  private static boolean answers(Path socket) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (ConnectException e) {
      return false;
    }
  }

  private static Throwable cause(Throwable e) {
    return e.getCause() == null ? e : e.getCause();
  }

  /// Ends the event loops; the servers must have ended.
  @Override
  public void close() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
