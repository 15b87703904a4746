package dev.peapod.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// Calls for waiting and for the descriptors that are made from nothing, mapped directly.
final class EventCalls {
  static {
    Native.register(EventCalls.class, "c");
  }

  private EventCalls() {}

  static native int epoll_create1(int flags);

  static native int epoll_ctl(int epoll, int operation, int fd, byte[] event);

  static native int epoll_wait(int epoll, Pointer events, int capacity, int timeoutMillis);

  static native int eventfd(int initial, int flags);

  static native int inotify_init1(int flags);

  static native int inotify_add_watch(int inotify, byte[] path, int mask);

  static native int inotify_rm_watch(int inotify, int watch);

  static native int pipe2(int[] pair, int flags);

  static native int memfd_create(byte[] name, int flags);

  static native int poll(byte[] pollfds, long count, int timeoutMillis);
}
