package dev.peapod.engine;

import dev.peapod.engine.sandbox.Sandbox;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.Errno;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.TcpSockets;
import java.net.InetAddress;
import java.net.UnknownHostException;

/// Connections to what listens on a pod's loopback addresses.
final class PodPorts {
  private static final byte[] LOOPBACK4 = {127, 0, 0, 1};
  private static final byte[] LOOPBACK6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

  private PodPorts() {}

  static Fd connect(EventLoop loop, Sandbox sandbox, int port) {
    if (port < 1 || port > 65535) {
      throw PeapodException.invalid("port " + port + " is not between 1 and 65535");
    }
    try (Fd namespace = Namespaces.open(sandbox.pause(), Namespaces.Type.NET)) {
      try {
        return TcpSockets.connect(loop, namespace, address(LOOPBACK4), port);
      } catch (KernelException e) {
        if (e.errno() != Errno.ECONNREFUSED) {
          throw e;
        }
        return TcpSockets.connect(loop, namespace, address(LOOPBACK6), port);
      }
    } catch (KernelException e) {
      throw new PeapodException(
          Kind.UNAVAILABLE,
          "port " + port + " of sandbox " + sandbox.id() + ": " + Errno.describe(e.errno()),
          e);
    }
  }

  private static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
