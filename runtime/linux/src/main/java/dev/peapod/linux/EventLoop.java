package dev.peapod.linux;

import com.sun.jna.Memory;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// One platform thread that waits on many descriptors (epoll(7)) and tells their handlers.
///
/// Thread-safe. Descriptors are watched level-triggered. Handlers run on the loop's thread, one at
/// a time, and never block: what takes long they give to a thread of their own.
public final class EventLoop implements AutoCloseable {
  /// There is something to read, or the end of file; an exited process for a pidfd.
  public static final int IN = 0x1;

  /// There is room to write.
  public static final int OUT = 0x4;

  /// An error is pending; always reported.
  public static final int ERROR = 0x8;

  /// The other end is closed; always reported.
  public static final int HANG_UP = 0x10;

  /// Reported when an urgent event is pending (a changed cgroup or sysfs file, for example).
  public static final int PRIORITY = 0x2;

  /// Told of events on the loop's thread.
  @FunctionalInterface
  public interface Handler {
    /// @param events the bits that are set now, such as [EventLoop#IN]
    void ready(int events);
  }

  /// A descriptor's registration. Closing it ends it; a handler that runs at that moment on the
  /// loop's thread finishes, and is not called again. Close it before the descriptor.
  public interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  private static final Logger LOG = System.getLogger(EventLoop.class.getName());
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_DEL = 2;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int CAPACITY = 64;

  /// `struct epoll_event` is packed on x86-64 alone.
  private static final int DATA_OFFSET =
      System.getProperty("os.arch", "").equals("aarch64") ? 8 : 4;

  private static final int EVENT_SIZE = DATA_OFFSET + 8;
  private static final long WAKE = 0;

  private final Fd epoll;
  private final Fd wake;
  private final Map<Long, Watched> watched = new ConcurrentHashMap<>();
  private final AtomicLong ids = new AtomicLong();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread thread;

  private EventLoop(Fd epoll, Fd wake, String name) {
    this.epoll = epoll;
    this.wake = wake;
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  /// Starts a loop on a new thread of this name.
  public static EventLoop start(String name) {
    Fd epoll = new Fd((int) LibC.check(EventCalls.epoll_create1(Open.CLOEXEC), "epoll_create1()"));
    try {
      int flags = Open.CLOEXEC | Open.NONBLOCK;
      Fd wake = new Fd((int) LibC.check(EventCalls.eventfd(0, flags), "eventfd()"));
      try {
        EventLoop loop = new EventLoop(epoll, wake, name);
        loop.control(EPOLL_CTL_ADD, wake, IN, WAKE);
        loop.thread.start();
        return loop;
      } catch (RuntimeException e) {
        wake.close();
        throw e;
      }
    } catch (RuntimeException e) {
      epoll.close();
      throw e;
    }
  }

  /// Watches a descriptor for `events` ([#IN], [#OUT]; errors always) until the registration is
  /// closed. The descriptor stays the caller's.
  ///
  /// @throws KernelException EEXIST if it is watched already, EPERM if it can not be waited for
  public Registration register(Fd fd, int events, Handler handler) {
    Watched w = new Watched(ids.incrementAndGet(), fd, handler);
    watched.put(w.id, w);
    try {
      control(EPOLL_CTL_ADD, fd, events, w.id);
    } catch (RuntimeException e) {
      watched.remove(w.id);
      throw e;
    }
    return w;
  }

  /// As [#register(Fd, int, Handler)], but the handler is called at most once.
  public Registration registerOnce(Fd fd, int events, Handler handler) {
    return register(fd, events | EPOLLONESHOT, handler);
  }

  /// Whether the calling thread is the loop's.
  public boolean isLoopThread() {
    return Thread.currentThread() == thread;
  }

  private void control(int operation, Fd fd, int events, long id) {
    byte[] event = new byte[EVENT_SIZE];
    ByteBuffer.wrap(event)
        .order(ByteOrder.nativeOrder())
        .putInt(0, events)
        .putLong(DATA_OFFSET, id);
    if (EventCalls.epoll_ctl(epoll.number(), operation, fd.number(), event) < 0) {
      int errno = LibC.errno();
      throw new KernelException("epoll_ctl(" + operation + ", " + fd + ")", errno);
    }
  }

  private void run() {
    try (Memory events = new Memory((long) CAPACITY * EVENT_SIZE)) {
      while (!closed.get()) {
        int n = EventCalls.epoll_wait(epoll.number(), events, CAPACITY, -1);
        if (n < 0) {
          int errno = LibC.errno();
          if (errno != Errno.EINTR) {
            throw new KernelException("epoll_wait()", errno);
          }
        }
        for (int i = 0; i < n; i++) {
          long at = (long) i * EVENT_SIZE;
          Watched w = watched.get(events.getLong(at + DATA_OFFSET));
          if (w != null) {
            w.tell(events.getInt(at));
          }
        }
      }
    } finally {
      epoll.close();
      wake.close();
    }
  }

  /// Ends the loop and waits for its thread, unless called by it. Registered descriptors stay as
  /// they are.
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      byte[] one = {1, 0, 0, 0, 0, 0, 0, 0};
      LibC.write(wake.number(), one, one.length);
    }
    if (!isLoopThread()) {
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private final class Watched implements Registration {
    private final long id;
    private final Fd fd;
    private final Handler handler;

    Watched(long id, Fd fd, Handler handler) {
      this.id = id;
      this.fd = fd;
      this.handler = handler;
    }

    void tell(int events) {
      try {
        handler.ready(events);
      } catch (RuntimeException | Error e) {
        LOG.log(Level.ERROR, "handler of " + fd + " failed", e);
      }
    }

    @Override
    public void close() {
      if (watched.remove(id) != null && !closed.get() && fd.isOpen()) {
        try {
          control(EPOLL_CTL_DEL, fd, 0, id);
        } catch (KernelException | IllegalStateException e) {
          // Closing the descriptor or the loop has ended it already.
          LOG.log(Level.DEBUG, "unregistering {0}: {1}", fd, e.getMessage());
        }
      }
    }
  }
}
