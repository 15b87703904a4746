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

/// The connection to peapodd.
final class Daemon implements AutoCloseable {
  private static final int LARGEST_MESSAGE = 64 << 20;

  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final ManagedChannel channel;

  Daemon(Root root) {
    this.channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(root.socket()))
            .channelType(EpollDomainSocketChannel.class)
            .eventLoopGroup(loop)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .usePlaintext()
            .disableRetry()
            .directExecutor()
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .build();
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
    channel.shutdownNow();
  }
}
