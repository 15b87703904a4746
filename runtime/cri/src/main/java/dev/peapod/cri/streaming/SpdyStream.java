package dev.peapod.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;

/// One stream of an SPDY connection that a client has opened.
final class SpdyStream extends ClientStream {
  private final int id;

  SpdyStream(Channel channel, int id) {
    super(channel);
    this.id = id;
  }

  int id() {
    return id;
  }

  @Override
  SpdyDataFrame frame(ByteBuf data, boolean last) {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(id, data);
    frame.setLast(last);
    return frame;
  }

  @Override
  void tellReset(Channel to) {
    to.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
  }
}
