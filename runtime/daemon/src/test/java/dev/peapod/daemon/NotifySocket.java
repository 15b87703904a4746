package dev.peapod.daemon;

import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;

/// The service manager's end of sd_notify(3).
final class NotifySocket implements AutoCloseable {
  private final Socket socket = Socket.newSocketDomainDgram();

  NotifySocket(Path path) throws IOException {
    socket.bind(new DomainSocketAddress(path.toString()));
  }

  /// Waits for the next datagram.
  String receive() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(256);
    int length =
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> socket.recv(buffer, 0, buffer.capacity()), got -> got > 0);
    byte[] bytes = new byte[length];
    buffer.get(0, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
