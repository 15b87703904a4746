package dev.peapod.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/// The C library's socket calls, mapped directly; for this module alone.
public final class SocketCalls {
  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int AF_NETLINK = 16;
  public static final int SOCK_DGRAM = 2;
  public static final int SOCK_RAW = 3;
  public static final int SOCK_SEQPACKET = 5;
  public static final int SOCK_NONBLOCK = 0x800;
  public static final int SOCK_CLOEXEC = 0x80000;
  public static final int SOL_SOCKET = 1;
  public static final int SCM_RIGHTS = 1;
  public static final int MSG_PEEK = 0x2;
  public static final int MSG_CTRUNC = 0x8;
  public static final int MSG_TRUNC = 0x20;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;

  static {
    Native.register(SocketCalls.class, "c");
  }

  private SocketCalls() {}

  public static native int socket(int family, int type, int protocol);

  static native int socketpair(int family, int type, int protocol, int[] pair);

  public static native int bind(int fd, byte[] address, int length);

  public static native int getsockname(int fd, byte[] address, int[] length);

  static native int connect(int fd, byte[] address, int length);

  static native int getsockopt(int fd, int level, int name, byte[] value, int[] length);

  public static native int setsockopt(int fd, int level, int name, byte[] value, int length);

  public static native long send(int fd, byte[] message, long length, int flags);

  public static native long sendto(
      int fd, byte[] message, long length, int flags, byte[] address, int addressLength);

  public static native long recv(int fd, byte[] buffer, long length, int flags);

  public static native long recv(int fd, Pointer buffer, long length, int flags);

  static native long sendmsg(int fd, Pointer message, int flags);

  static native long recvmsg(int fd, Pointer message, int flags);
}
