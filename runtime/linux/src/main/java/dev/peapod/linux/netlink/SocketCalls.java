package dev.peapod.linux.netlink;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// The socket calls that netlink needs, mapped directly.
final class SocketCalls {
  static final int AF_NETLINK = 16;
  static final int SOCK_RAW = 3;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_RCVTIMEO = 20;
  static final int SOL_NETLINK = 270;
  static final int NETLINK_CAP_ACK = 10;
  static final int NETLINK_EXT_ACK = 11;
  static final int NETLINK_GET_STRICT_CHK = 12;
  static final int MSG_TRUNC = 0x20;
  static final int MSG_DONTWAIT = 0x40;

  static {
    Native.register(SocketCalls.class, "c");
  }

  private SocketCalls() {}

  static native int socket(int domain, int type, int protocol);

  static native int setsockopt(int fd, int level, int option, Pointer value, int length);

  static native long send(int fd, Pointer buffer, long length, int flags);

  static native long recv(int fd, Pointer buffer, long length, int flags);
}
