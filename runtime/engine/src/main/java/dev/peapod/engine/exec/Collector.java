package dev.peapod.engine.exec;

import dev.peapod.linux.Errno;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.FdIo;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Open;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/// Reads a pipe to its end on the event loop, keeps its beginning and drops the rest.
final class Collector implements AutoCloseable {
  private static final int CHUNK = 65536;

  private final Fd read;
  private final OutputBudget.Share share;
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private EventLoop.@Nullable Registration registration;

  /// @param pipe the read end of a pipe; stays the caller's
  /// @param share what there is room for
  Collector(Fd pipe, OutputBudget.Share share) {
    // Opened again, since only our side of the pipe is not to wait.
    this.read = Fd.open("/proc/self/fd/" + pipe.number(), Open.RDONLY | Open.NONBLOCK);
    this.share = share;
  }

  void start(EventLoop loop) {
    synchronized (this) {
      registration = loop.register(read, EventLoop.IN, events -> readOnce());
    }
  }

  private synchronized void readOnce() {
    if (read.isOpen()) {
      readChunk(new byte[CHUNK]);
    }
  }

  /// Reads what is there now and answers what was kept.
  synchronized byte[] finish() {
    byte[] chunk = new byte[CHUNK];
    while (read.isOpen() && readChunk(chunk)) {
      // until nothing is there
    }
    close();
    return kept.toByteArray();
  }

  /// Whether there may be more now.
  private boolean readChunk(byte[] chunk) {
    int n;
    try {
      n = FdIo.read(read, chunk);
    } catch (KernelException e) {
      if (e.errno() == Errno.EAGAIN) {
        return false;
      }
      throw e;
    }
    if (n == 0) {
      close();
      return false;
    }
    kept.write(chunk, 0, share.take(kept.size(), n));
    return true;
  }

  @Override
  public synchronized void close() {
    if (registration != null) {
      registration.close();
      registration = null;
    }
    read.close();
  }
}
