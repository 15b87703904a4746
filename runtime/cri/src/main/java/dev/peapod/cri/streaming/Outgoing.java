package dev.peapod.cri.streaming;

import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Writes to a channel from blocking threads, which wait while the client is behind. Thread-safe.
final class Outgoing {
  private final Channel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  Outgoing(Channel channel) {
    this.channel = channel;
  }

  /// Writes once there is room. Not for the channel's own thread.
  ///
  /// @throws IOException if the client has gone; the message is not written
  void write(Object message) throws IOException {
    lock.lock();
    try {
      while (channel.isActive() && !channel.isWritable()) {
        changed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } finally {
      lock.unlock();
    }
    if (!channel.isActive()) {
      throw new ClosedChannelException();
    }
    channel.writeAndFlush(message);
  }

  /// The channel has become writable, or has gone.
  void changed() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
