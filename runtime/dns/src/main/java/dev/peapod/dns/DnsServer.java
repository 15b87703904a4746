package dev.peapod.dns;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LengthFieldPrepender;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// A DNS server at one address, by UDP and TCP (RFC 1035, 7766). It knows a [Zone] and asks the machine's own servers for
/// the rest. Thread-safe.
public final class DnsServer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(DnsServer.class.getName());
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  // Questions are short, with all that EDNS may add.
  private static final int LARGEST_QUERY = 4096;
  private static final int IDLE_SECONDS = 10;
  private static final int MOST_CONNECTIONS = 128;
  private static final int MOST_CONNECTIONS_OF_ONE = 16;

  private final Resolver resolver;
  private final Predicate<InetAddress> askers;
  private final EventLoopGroup loop;
  private final Quota connections = new Quota(MOST_CONNECTIONS, MOST_CONNECTIONS_OF_ONE);
  private final InetSocketAddress address;

  /// Answers from now on.
  ///
  /// @param address need not be there yet: it is answered at as soon as it is. Port 0: any that is free
  /// @param askers who is answered; nothing is said to others
  /// @throws IOException if somebody else is at that address
  public static DnsServer open(
      InetSocketAddress address, Zone zone, Predicate<InetAddress> askers) throws IOException {
    return open(address, zone, askers, new HostServers(address.getAddress()));
  }

  /// @param servers who knows the rest
  static DnsServer open(
      InetSocketAddress address,
      Zone zone,
      Predicate<InetAddress> askers,
      Supplier<List<InetSocketAddress>> servers)
      throws IOException {
    return new DnsServer(
        address, new Resolver(zone, new Forwarder(servers, PATIENCE)), askers);
  }

  private DnsServer(InetSocketAddress wanted, Resolver resolver, Predicate<InetAddress> askers)
      throws IOException {
    this.resolver = resolver;
    this.askers = askers;
    this.loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("dns", true), EpollIoHandler.newFactory());
    try {
      Channel datagrams = bound(datagrams().bind(wanted), wanted);
      address = (InetSocketAddress) datagrams.localAddress();
      bound(streams().bind(address), address);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private Bootstrap datagrams() {
    return new Bootstrap()
        .group(loop)
        .channel(EpollDatagramChannel.class)
        .option(EpollChannelOption.IP_FREEBIND, true)
        .option(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
        .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(LARGEST_QUERY))
        .handler(new Datagrams());
  }

  private ServerBootstrap streams() {
    return new ServerBootstrap()
        .group(loop)
        .channel(EpollServerSocketChannel.class)
        .option(EpollChannelOption.IP_FREEBIND, true)
        .option(ChannelOption.SO_REUSEADDR, true)
        .option(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
        .childOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(LARGEST_QUERY))
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel channel) {
                InetAddress asker = channel.remoteAddress().getAddress();
                if (!askers.test(asker) || !connections.begin(asker)) {
                  channel.close();
                  return;
                }
                channel.closeFuture().addListener(closed -> connections.end(asker));
                channel
                    .pipeline()
                    .addLast(
                        new ReadTimeoutHandler(IDLE_SECONDS),
                        new LengthFieldBasedFrameDecoder(LARGEST_QUERY, 0, 2, 0, 2),
                        new LengthFieldPrepender(2),
                        new Streams());
              }
            });
  }

  private static Channel bound(ChannelFuture binding, InetSocketAddress address)
      throws IOException {
    binding.awaitUninterruptibly();
    if (!binding.isSuccess()) {
      throw new IOException(
          "can not answer at "
              + address.getAddress().getHostAddress()
              + " port "
              + address.getPort()
              + ": "
              + binding.cause().getMessage(),
          binding.cause());
    }
    return binding.channel();
  }

  /// Where it answers.
  public InetSocketAddress address() {
    return address;
  }

  private final class Datagrams extends SimpleChannelInboundHandler<DatagramPacket> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
      InetSocketAddress sender = packet.sender();
      if (!askers.test(sender.getAddress())) {
        return;
      }
      resolver.answer(
          ByteBufUtil.getBytes(packet.content()),
          false,
          sender.getAddress(),
          reply ->
              context.writeAndFlush(
                  new DatagramPacket(Unpooled.wrappedBuffer(reply), sender),
                  context.voidPromise()));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // As when somebody has gone whom an answer was sent to: the next one is served all the same.
      LOG.log(Logger.Level.DEBUG, "a DNS datagram failed", cause);
    }
  }

  private final class Streams extends SimpleChannelInboundHandler<ByteBuf> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
      InetSocketAddress sender = (InetSocketAddress) context.channel().remoteAddress();
      resolver.answer(
          ByteBufUtil.getBytes(message),
          true,
          sender.getAddress(),
          reply -> context.writeAndFlush(Unpooled.wrappedBuffer(reply), context.voidPromise()));
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      // Who does not read answers is not asked for more questions.
      context.channel().config().setAutoRead(context.channel().isWritable());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      LOG.log(Logger.Level.DEBUG, "a DNS connection failed", cause);
      context.close();
    }
  }

  /// Answers nobody any more.
  @Override
  public void close() {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
