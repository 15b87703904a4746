package dev.peapod.pods.probe;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;

/// A probe that connects and hangs up.
final class TcpProbe {
  private TcpProbe() {}

  static ProbeResult perform(ProbeAction.Tcp tcp, Duration timeout) {
    InetSocketAddress address = new InetSocketAddress(tcp.host(), tcp.port());
    String what = "dial tcp " + tcp.host() + ":" + tcp.port() + ": ";
    if (address.isUnresolved()) {
      return ProbeResult.failed(what + "no such host");
    }
    try (Socket socket = new Socket()) {
      socket.connect(address, Math.max(1, (int) timeout.toMillis()));
      return ProbeResult.ok("connected");
    } catch (SocketTimeoutException e) {
      return ProbeResult.failed(what + "i/o timeout");
    } catch (IOException e) {
      return ProbeResult.failed(what + e.getMessage());
    }
  }
}
