package dev.peapod.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The client's end of an exec or attach, over WebSocket with `v5.channel.k8s.io`.
final class RemoteStreams implements AutoCloseable {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final Received received = new Received();
  private final WebSocket socket;

  RemoteStreams(String url) {
    socket =
        HTTP.newWebSocketBuilder()
            .subprotocols("v5.channel.k8s.io")
            .buildAsync(URI.create("ws" + url.substring("http".length())), received)
            .join();
  }

  private static final class Received implements WebSocket.Listener {
    final StringBuffer[] streams = new StringBuffer[4];
    final CountDownLatch closed = new CountDownLatch(1);
    private int stream;
    private boolean inside;

    Received() {
      for (int i = 0; i < streams.length; i++) {
        streams[i] = new StringBuffer();
      }
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
      if (!inside) {
        stream = data.get();
      }
      inside = !last;
      streams[stream].append(StandardCharsets.ISO_8859_1.decode(data));
      return WebSocket.Listener.super.onBinary(socket, data, last);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      closed.countDown();
      return WebSocket.Listener.super.onClose(socket, status, reason);
    }
  }

  void type(String text) {
    send(0, text);
  }

  void resize(int rows, int columns) {
    send(4, "{\"Width\":%d,\"Height\":%d}".formatted(columns, rows));
  }

  private void send(int stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer message =
        ByteBuffer.allocate(1 + bytes.length).put((byte) stream).put(bytes).flip();
    socket.sendBinary(message, true).join();
  }

  void endInput() {
    socket.sendBinary(ByteBuffer.wrap(new byte[] {(byte) 255, 0}), true).join();
  }

  String stdout() {
    return received.streams[1].toString();
  }

  String stderr() {
    return received.streams[2].toString();
  }

  /// How it ended, once it has.
  String awaitStatus() {
    try {
      assertThat(received.closed.await(60, TimeUnit.SECONDS)).as("the stream ended").isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return received.streams[3].toString();
  }

  /// Drops the connection.
  @Override
  public void close() {
    socket.abort();
  }
}
