package dev.peapod.linux;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// TCP connections that begin inside a network namespace (tcp(7)).
public final class TcpSockets {
  private static final int SOCK_STREAM = 1;
  private static final int SO_ERROR = 4;

  private TcpSockets() {}

  /// A connection from inside a network namespace; the socket does not block and is used from anywhere.
  ///
  /// For virtual threads: waiting is done on the loop.
  ///
  /// @param namespace a descriptor of a network namespace
  /// @throws KernelException such as ECONNREFUSED
  public static Fd connect(EventLoop loop, Fd namespace, InetAddress address, int port) {
    boolean v4 = address instanceof Inet4Address;
    int family = v4 ? SocketCalls.AF_INET : SocketCalls.AF_INET6;
    Fd socket = open(namespace, family);
    try {
      byte[] name = name(family, address, port);
      if (SocketCalls.connect(socket.number(), name, name.length) < 0) {
        int errno = LibC.errno();
        if (errno != Errno.EINPROGRESS) {
          throw failed(address, port, errno);
        }
        awaitConnected(loop, socket, address, port);
      }
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static void awaitConnected(EventLoop loop, Fd socket, InetAddress address, int port) {
    try (Readiness writable = new Readiness(loop, socket, EventLoop.OUT)) {
      writable.await();
    }
    byte[] error = new byte[4];
    int[] length = {error.length};
    LibC.check(
        SocketCalls.getsockopt(
            socket.number(), SocketCalls.SOL_SOCKET, SO_ERROR, error, length),
        "getsockopt(SO_ERROR)");
    int errno = ByteBuffer.wrap(error).order(ByteOrder.nativeOrder()).getInt();
    if (errno != 0) {
      throw failed(address, port, errno);
    }
  }

  private static KernelException failed(InetAddress address, int port, int errno) {
    return new KernelException(
        "connect(" + address.getHostAddress() + ", port " + port + ")", errno);
  }

  private static Fd open(Fd namespace, int family) {
    int type = SOCK_STREAM | SocketCalls.SOCK_NONBLOCK | SocketCalls.SOCK_CLOEXEC;
    try {
      return Namespaces.within(
          namespace,
          () -> new Fd((int) LibC.check(SocketCalls.socket(family, type, 0), "socket()")));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// `struct sockaddr_in` or `struct sockaddr_in6`.
  private static byte[] name(int family, InetAddress address, int port) {
    boolean v4 = family == SocketCalls.AF_INET;
    ByteBuffer b = ByteBuffer.allocate(v4 ? 16 : 28);
    b.order(ByteOrder.nativeOrder()).putShort((short) family);
    b.order(ByteOrder.BIG_ENDIAN).putShort((short) port);
    if (!v4) {
      b.putInt(0);
    }
    return b.put(address.getAddress()).array();
  }
}
