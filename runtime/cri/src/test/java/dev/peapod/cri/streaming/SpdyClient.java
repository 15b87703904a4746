package dev.peapod.cri.streaming;

import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// SPDY/3.1 as Kubernetes' clients speak it.
final class SpdyClient implements AutoCloseable {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel channel;
  private final Map<Integer, StringBuffer> received = new ConcurrentHashMap<>();
  private final Set<Integer> replied = ConcurrentHashMap.newKeySet();
  private final Set<Integer> ended = ConcurrentHashMap.newKeySet();
  private final Set<Integer> reset = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<FullHttpResponse> upgraded = new CompletableFuture<>();
  private final CompletableFuture<Integer> pong = new CompletableFuture<>();
  private int last = -1;

  SpdyClient(URI url, String protocol) throws Exception {
    channel =
        new Bootstrap()
            .group(group)
            .channel(NioSocketChannel.class)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel c) {
                    c.pipeline()
                        .addLast(new HttpClientCodec(), new HttpObjectAggregator(4096), new Answer());
                  }
                })
            .connect(url.getHost(), url.getPort())
            .sync()
            .channel();
    FullHttpRequest request =
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, url.getPath());
    request.headers().set("Host", url.getAuthority());
    request.headers().set("Connection", "Upgrade");
    request.headers().set("Upgrade", "SPDY/3.1");
    request.headers().set("Content-Length", 0);
    request.headers().add("X-Stream-Protocol-Version", "v9.channel.k8s.io");
    request.headers().add("X-Stream-Protocol-Version", protocol);
    channel.writeAndFlush(request);
  }

  private final class Answer extends SimpleChannelInboundHandler<FullHttpResponse> {
    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpResponse response) {
      if (response.status().code() == 101) {
        ctx.pipeline().addLast(new SpdyFrameCodec(SpdyVersion.SPDY_3_1), new Frames());
        ctx.pipeline().remove(HttpObjectAggregator.class);
        ctx.pipeline().remove(HttpClientCodec.class);
        ctx.pipeline().remove(this);
      }
      upgraded.complete(response.retain());
    }
  }

  private final class Frames extends SimpleChannelInboundHandler<SpdyFrame> {
    @Override
    protected void channelRead0(ChannelHandlerContext ctx, SpdyFrame frame) {
      switch (frame) {
        case SpdySynReplyFrame reply -> replied.add(reply.streamId());
        case SpdyDataFrame data -> {
          received
              .computeIfAbsent(data.streamId(), id -> new StringBuffer())
              .append(data.content().toString(StandardCharsets.UTF_8));
          if (data.isLast()) {
            ended.add(data.streamId());
          }
        }
        case SpdyRstStreamFrame broken -> reset.add(broken.streamId());
        case SpdyPingFrame ping -> pong.complete(ping.id());
        default -> {}
      }
    }
  }

  FullHttpResponse response() throws Exception {
    return upgraded.get(20, TimeUnit.SECONDS);
  }

  /// Opens a stream and waits until it was accepted or refused: its number, 0 if it was refused.
  int open(String... headers) throws Exception {
    response();
    last += 2;
    int id = last;
    SpdySynStreamFrame frame = new DefaultSpdySynStreamFrame(id, 0, (byte) 0);
    for (int i = 0; i < headers.length; i += 2) {
      frame.headers().add(headers[i], headers[i + 1]);
    }
    channel.writeAndFlush(frame);
    await().until(() -> replied.contains(id) || reset.contains(id));
    return reset.contains(id) ? 0 : id;
  }

  void send(int stream, String text, boolean end) {
    DefaultSpdyDataFrame frame =
        new DefaultSpdyDataFrame(stream, Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    frame.setLast(end);
    channel.writeAndFlush(frame);
  }

  /// What came on a stream, once it has ended.
  String awaitEnd(int stream) {
    await().until(() -> ended.contains(stream));
    return text(stream);
  }

  String text(int stream) {
    StringBuffer text = received.get(stream);
    return text == null ? "" : text.toString();
  }

  int ping(int id) throws Exception {
    channel.writeAndFlush(new DefaultSpdyPingFrame(id));
    return pong.get(20, TimeUnit.SECONDS);
  }

  void awaitClosed() throws Exception {
    channel.closeFuture().get(20, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    channel.close();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
