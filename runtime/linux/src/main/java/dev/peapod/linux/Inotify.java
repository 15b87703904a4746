package dev.peapod.linux;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Notices of changes in directories (inotify(7)), told on an [EventLoop]'s thread. Thread-safe.
public final class Inotify implements AutoCloseable {
  public static final int MODIFY = 0x2;
  public static final int ATTRIB = 0x4;
  public static final int CLOSE_WRITE = 0x8;
  public static final int MOVED_FROM = 0x40;
  public static final int MOVED_TO = 0x80;
  public static final int CREATE = 0x100;
  public static final int DELETE = 0x200;
  public static final int DELETE_SELF = 0x400;

  /// Notices were lost: look at everything. Sent to every listener, with an empty name.
  public static final int OVERFLOW = 0x4000;

  /// The watch is gone, with what it watched.
  public static final int IGNORED = 0x8000;

  /// Told of changes; must not block.
  @FunctionalInterface
  public interface Listener {
    /// @param events the bits that happened
    /// @param name which entry of the directory, empty for the directory itself
    void changed(int events, String name);
  }

  /// A watch; closing it ends it.
  public interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  private static final Logger LOG = System.getLogger(Inotify.class.getName());
  private static final int HEADER = 16;

  private final Fd fd;
  private final EventLoop.Registration registration;
  private final Map<Integer, Listener> listeners = new HashMap<>();

  /// A new instance, read by the loop's thread.
  public Inotify(EventLoop loop) {
    int flags = Open.CLOEXEC | Open.NONBLOCK;
    fd = new Fd((int) LibC.check(EventCalls.inotify_init1(flags), "inotify_init1()"));
    try {
      registration = loop.register(fd, EventLoop.IN, events -> read());
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /// Watches a directory or file, which has no watch of this instance yet.
  ///
  /// @param events which to tell, such as [#MOVED_TO]
  public Watch watch(Path path, int events, Listener listener) {
    byte[] cPath = LibC.path(path.toString());
    synchronized (listeners) {
      int id = EventCalls.inotify_add_watch(fd.number(), cPath, events);
      if (id < 0) {
        int errno = LibC.errno();
        throw new KernelException("inotify_add_watch(\"" + path + "\")", errno);
      }
      listeners.put(id, listener);
      return () -> remove(id);
    }
  }

  private void remove(int id) {
    synchronized (listeners) {
      if (listeners.remove(id) != null && fd.isOpen()) {
        EventCalls.inotify_rm_watch(fd.number(), id);
      }
    }
  }

  private void read() {
    byte[] buffer = new byte[16384];
    long n = LibC.read(fd.number(), buffer, buffer.length);
    if (n < 0) {
      int errno = LibC.errno();
      if (errno != Errno.EAGAIN && errno != Errno.EINTR) {
        throw new KernelException("read(inotify)", errno);
      }
    }
    ByteBuffer b = ByteBuffer.wrap(buffer).order(ByteOrder.nativeOrder());
    int length;
    for (int at = 0; at + HEADER <= n; at += HEADER + length) {
      length = b.getInt(at + 12);
      int end = at + HEADER;
      while (end < at + HEADER + length && buffer[end] != 0) {
        end++;
      }
      String name =
          new String(buffer, at + HEADER, end - at - HEADER, StandardCharsets.UTF_8);
      tell(b.getInt(at), b.getInt(at + 4), name);
    }
  }

  private void tell(int id, int events, String name) {
    List<Listener> told;
    synchronized (listeners) {
      if ((events & OVERFLOW) != 0) {
        told = List.copyOf(listeners.values());
      } else {
        Listener one =
            (events & IGNORED) != 0 ? listeners.remove(id) : listeners.get(id);
        told = one == null ? List.of() : List.of(one);
      }
    }
    for (Listener listener : told) {
      try {
        listener.changed(events, name);
      } catch (RuntimeException | Error e) {
        LOG.log(Level.ERROR, "listener for \"" + name + "\" failed", e);
      }
    }
  }

  @Override
  public void close() {
    registration.close();
    fd.close();
  }
}
