package dev.peapod.cli;

import dev.peapod.proto.peapod.v1.DaemonGrpc;
import dev.peapod.proto.peapod.v1.ImagesGrpc;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The connection to peapodd.
final class Daemon implements AutoCloseable {
  private static final int LARGEST_MESSAGE = 64 << 20;
  private static final long CLOSE_MILLIS = 100;

  private static final AtomicReference<@Nullable Ahead> AHEAD = new AtomicReference<>();

  private final Connection connection;
  private final ManagedChannel channel;

  /// Takes the connection that was begun ahead, if it is to the socket of `root`.
  Daemon(Root root) {
    String socket = root.socket();
    Ahead ahead = AHEAD.getAndSet(null);
    if (ahead != null && ahead.socket.equals(socket)) {
      this.connection = ahead.connection.join();
    } else {
      if (ahead != null) {
        ahead.connection.thenAccept(Connection::close);
      }
      this.connection = Connection.to(socket);
    }
    this.channel = connection.channel;
  }

  private record Ahead(String socket, CompletableFuture<Connection> connection) {}

  /// Begins to connect while the command line is still being read: each takes as long as the other. Whether it comes about shows
  /// with the first call.
  static void connectAhead(String socket) {
    AHEAD.set(
        new Ahead(
            socket,
            CompletableFuture.supplyAsync(
                () -> {
                  Connection connection = Connection.to(socket);
                  connection.channel.getState(true);
                  return connection;
                },
                task -> Thread.ofPlatform().daemon().name("connect").start(task))));
  }

  private record Connection(EventLoopGroup loop, ManagedChannel channel) {
    static Connection to(String socket) {
      EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
      return new Connection(
          loop,
          NettyChannelBuilder.forAddress(new DomainSocketAddress(socket))
              .channelType(EpollDomainSocketChannel.class)
              .eventLoopGroup(loop)
              .withOption(ChannelOption.SO_KEEPALIVE, null)
              .overrideAuthority("localhost")
              .usePlaintext()
              .disableRetry()
              .directExecutor()
              .maxInboundMessageSize(LARGEST_MESSAGE)
              .build());
    }

    /// Also ends the loop's thread: at its end, the Java machine waits 0.3 s for a thread that it finds waiting in the kernel
    /// (`VM_Exit::wait_for_threads_in_native_to_block` of HotSpot).
    void close() {
      channel.shutdownNow();
      loop.shutdownGracefully(0, CLOSE_MILLIS, TimeUnit.MILLISECONDS)
          .awaitUninterruptibly(CLOSE_MILLIS);
    }
  }

  PodsGrpc.PodsBlockingStub pods() {
    return PodsGrpc.newBlockingStub(channel);
  }

  PodsGrpc.PodsStub podsAsync() {
    return PodsGrpc.newStub(channel);
  }

  ImagesGrpc.ImagesBlockingStub images() {
    return ImagesGrpc.newBlockingStub(channel);
  }

  ImagesGrpc.ImagesStub imagesAsync() {
    return ImagesGrpc.newStub(channel);
  }

  DaemonGrpc.DaemonBlockingStub daemon() {
    return DaemonGrpc.newBlockingStub(channel);
  }

  /// Why a connection could not be made, in words for people.
  static String reason(String socket, Throwable cause) {
    Path path = Path.of(socket);
    if (!Files.exists(path)) {
      return "there is no such socket; is peapodd running?";
    }
    if (!Files.isWritable(path)) {
      return "permission denied";
    }
    String message = String.valueOf(cause.getMessage());
    return message.contains("refused") ? "nobody listens there; is peapodd running?" : message;
  }

  @Override
  public void close() {
    connection.close();
  }
}
