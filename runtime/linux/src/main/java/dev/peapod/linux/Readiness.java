package dev.peapod.linux;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Lets one thread at a time, virtual ones included, wait for a descriptor without holding a carrier.
///
/// Use one for each direction of a descriptor, on a duplicate for the second one: a descriptor can be
/// watched once. Thread-safe.
public final class Readiness implements AutoCloseable {
  private final EventLoop loop;
  private final Fd fd;
  private final int events;
  private final AtomicReference<@Nullable CountDownLatch> waiting = new AtomicReference<>();
  private volatile boolean ended;

  /// @param fd not blocking; stays the caller's, who closes it after this object
  /// @param events what is waited for, such as [EventLoop#IN]
  public Readiness(EventLoop loop, Fd fd, int events) {
    this.loop = loop;
    this.fd = fd;
    this.events = events;
  }

  /// Waits until the descriptor is ready, which may be a moment ago: try, and wait again if it is not.
  ///
  /// @return false once [#end()] was called: then there is nothing to wait for any more
  /// @throws KernelException EINTR if the thread is interrupted
  public boolean await() {
    if (ended) {
      return false;
    }
    CountDownLatch latch = new CountDownLatch(1);
    waiting.set(latch);
    try (EventLoop.Registration registration =
        loop.registerOnce(fd, events, ready -> latch.countDown())) {
      if (!ended) {
        latch.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KernelException("waiting for " + fd, Errno.EINTR);
    } finally {
      waiting.set(null);
    }
    return !ended;
  }

  /// Wakes who waits, and lets nobody wait again.
  public void end() {
    ended = true;
    CountDownLatch latch = waiting.get();
    if (latch != null) {
      latch.countDown();
    }
  }

  @Override
  public void close() {
    end();
  }
}
