package dev.peapod.daemon;

import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Tells the service manager how the daemon is, by the protocol of sd_notify(3). Without a manager nothing happens.
final class ServiceManager {
  private static final System.Logger LOG = System.getLogger(ServiceManager.class.getName());

  private final Map<String, String> environment;

  ServiceManager(Map<String, String> environment) {
    this.environment = environment;
  }

  /// Start-up is complete.
  void ready() {
    send("READY=1\n");
  }

  /// The daemon is ending.
  void stopping() {
    send("STOPPING=1\n");
  }

  private void send(String message) {
    String address = environment.get("NOTIFY_SOCKET");
    if (address == null || !(address.startsWith("/") || address.startsWith("@"))) {
      return;
    }
    byte[] path = address.getBytes(StandardCharsets.UTF_8);
    if (path[0] == '@') {
      path[0] = 0;
    }
    byte[] bytes = message.getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).put(bytes);
    Socket socket = Socket.newSocketDomainDgram();
    try {
      socket.sendToDomainSocket(buffer, 0, bytes.length, path);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "can not notify {0}: {1}", address, e.getMessage());
    } finally {
      try {
        socket.close();
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, "closing the notification socket", e);
      }
    }
  }
}
