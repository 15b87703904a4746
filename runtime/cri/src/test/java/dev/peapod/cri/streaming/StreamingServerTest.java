package dev.peapod.cri.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.engine.stream.StreamOptions;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.linux.EventLoop;
import dev.peapod.linux.Fd;
import dev.peapod.linux.Namespaces;
import dev.peapod.linux.TcpSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StreamingServerTest {
  private static final StreamOptions ALL = new StreamOptions(true, true, true, false);

  private final StreamingServer server =
      new StreamingServer(
          new StreamingConfig(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Optional.empty()));

  @AfterEach
  void close() {
    server.close();
  }

  private URI url(EchoSession session, StreamOptions options) {
    return URI.create(server.url(new Ticket.Command("exec", options, () -> session)));
  }

  @Test
  void carriesACommandOverSpdy() throws Exception {
    EchoSession session = new EchoSession(3);
    try (SpdyClient client = new SpdyClient(url(session, ALL), "v4.channel.k8s.io")) {
      assertThat(client.response().headers().get("X-Stream-Protocol-Version"))
          .isEqualTo("v4.channel.k8s.io");
      int error = client.open("streamtype", "error");
      int in = client.open("streamtype", "stdin");
      int out = client.open("streamtype", "stdout");
      int err = client.open("streamtype", "stderr");
      assertThat(client.open("streamtype", "resize")).as("nobody asked for a terminal").isZero();
      assertThat(client.open("streamtype", "stdout")).as("a second one").isZero();
      client.send(in, "over ", false);
      client.send(in, "and out", true);
      assertThat(client.awaitEnd(out)).isEqualTo("over and out");
      assertThat(client.awaitEnd(err)).isEqualTo("end");
      assertThat(client.awaitEnd(error))
          .contains("\"status\":\"Failure\"", "\"reason\":\"ExitCode\"", "\"message\":\"3\"");
      client.awaitClosed();
    }
    assertThat(session.closed.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void endsACommandWhoseClientIsGone() throws Exception {
    EchoSession session = new EchoSession(0);
    SpdyClient client = new SpdyClient(url(session, ALL), "v4.channel.k8s.io");
    for (String type : new String[] {"error", "stdin", "stdout", "stderr"}) {
      client.open("streamtype", type);
    }
    assertThat(client.ping(7)).isEqualTo(7);
    client.close();
    assertThat(session.closed.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void saysWhyACommandCanNotBeStarted() throws Exception {
    Ticket ticket =
        new Ticket.Command(
            "attach",
            new StreamOptions(false, true, false, false),
            () -> {
              throw new PeapodException(Kind.FAILED_PRECONDITION, "it has ended");
            });
    try (SpdyClient client =
        new SpdyClient(URI.create(server.url(ticket)), "v4.channel.k8s.io")) {
      int error = client.open("streamtype", "error");
      client.open("streamtype", "stdout");
      assertThat(client.awaitEnd(error)).contains("\"message\":\"it has ended\"");
    }
  }

  /// Collects messages by their first byte.
  private static final class Messages implements WebSocket.Listener {
    final Map<Integer, StringBuffer> texts = new ConcurrentHashMap<>();
    final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
      int stream = data.get();
      texts
          .computeIfAbsent(stream, s -> new StringBuffer())
          .append(StandardCharsets.UTF_8.decode(data));
      return WebSocket.Listener.super.onBinary(socket, data, last);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      closed.countDown();
      return WebSocket.Listener.super.onClose(socket, status, reason);
    }

    String text(int stream) {
      return texts.getOrDefault(stream, new StringBuffer()).toString();
    }
  }

  private static ByteBuffer message(int stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(1 + bytes.length).put((byte) stream).put(bytes).flip();
  }

  @Test
  void carriesACommandOverWebSocket() throws Exception {
    EchoSession session = new EchoSession(0);
    URI url = url(session, ALL);
    Messages messages = new Messages();
    try (HttpClient http = HttpClient.newHttpClient()) {
      WebSocket socket =
          http.newWebSocketBuilder()
              .subprotocols("v9.channel.k8s.io", "v5.channel.k8s.io", "v4.channel.k8s.io")
              .buildAsync(URI.create("ws" + url.toString().substring(4)), messages)
              .get(20, TimeUnit.SECONDS);
      assertThat(socket.getSubprotocol()).isEqualTo("v5.channel.k8s.io");
      socket.sendBinary(message(4, "{\"Width\":9,\"Height\":8}"), true).join();
      socket.sendBinary(message(0, "typed"), true).join();
      socket.sendBinary(ByteBuffer.wrap(new byte[] {(byte) 255, 0}), true).join();
      assertThat(messages.closed.await(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(messages.text(1)).isEqualTo("typed");
    assertThat(messages.text(2)).isEqualTo("end");
    assertThat(messages.text(3)).isEqualTo("{\"metadata\":{},\"status\":\"Success\"}");
    assertThat(session.sizes).containsExactly("8x9");
  }

  @Test
  void refusesWhoHasNoTicket() throws Exception {
    URI url = url(new EchoSession(0), ALL);
    try (HttpClient http = HttpClient.newHttpClient()) {
      assertThat(http.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString()).body())
          .contains("upgrade to SPDY/3.1 or websocket");
    }
    URI other = url.resolve("/exec/none");
    try (SpdyClient client = new SpdyClient(other, "v4.channel.k8s.io")) {
      assertThat(client.response().status().code()).isEqualTo(404);
    }
    try (SpdyClient client = new SpdyClient(url, "v3.channel.k8s.io")) {
      assertThat(client.response().status().code()).isEqualTo(403);
    }
    try (SpdyClient client = new SpdyClient(url, "v4.channel.k8s.io")) {
      assertThat(client.response().status().code()).as("used up").isEqualTo(404);
    }
  }

  @Test
  void forwardsPortsEachForItself() throws Exception {
    try (EventLoop loop = EventLoop.start("test-events");
        ServerSocket target = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        ServerSocket none = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Fd here = Namespaces.open((int) ProcessHandle.current().pid(), Namespaces.Type.NET)) {
      int refused = none.getLocalPort();
      none.close();
      Thread.ofVirtual().start(() -> echo(target));
      Ticket ticket =
          new Ticket.PortForward(
              List.of(),
              port -> {
                if (port == refused) {
                  throw new PeapodException(Kind.UNAVAILABLE, "nobody is there");
                }
                return TcpSockets.connect(loop, here, InetAddress.getLoopbackAddress(), port);
              });
      String port = Integer.toString(target.getLocalPort());
      try (SpdyClient client =
          new SpdyClient(URI.create(server.url(ticket)), "portforward.k8s.io")) {
        int error = client.open("streamtype", "error", "port", port, "requestid", "0");
        int data = client.open("streamtype", "data", "port", port, "requestid", "0");
        String other = Integer.toString(refused);
        int otherError = client.open("streamtype", "error", "port", other, "requestid", "1");
        int otherData = client.open("streamtype", "data", "port", other, "requestid", "1");
        assertThat(client.awaitEnd(otherError)).isEqualTo("nobody is there");
        assertThat(client.awaitEnd(otherData)).isEmpty();
        assertThat(client.open("streamtype", "data", "port", "x", "requestid", "2")).isZero();
        client.send(data, "x".repeat(100_000), false);
        client.send(data, "y", true);
        assertThat(client.awaitEnd(data)).isEqualTo("x".repeat(100_000) + "y");
        assertThat(client.awaitEnd(error)).isEmpty();
      }
    }
  }

  @Test
  void forwardsTheNamedPortsOverWebSocket() throws Exception {
    try (EventLoop loop = EventLoop.start("test-events");
        ServerSocket target = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Fd here = Namespaces.open((int) ProcessHandle.current().pid(), Namespaces.Type.NET);
        HttpClient http = HttpClient.newHttpClient()) {
      int port = target.getLocalPort();
      Ticket.PortForward ticket =
          new Ticket.PortForward(
              List.of(1, port),
              to -> {
                if (to != port) {
                  throw new PeapodException(Kind.UNAVAILABLE, "nobody is there");
                }
                return TcpSockets.connect(loop, here, InetAddress.getLoopbackAddress(), port);
              });
      Messages messages = new Messages();
      WebSocket socket = forward(http, ticket, messages);
      socket.sendBinary(message(2, "early "), true).join();
      try (Socket inside = target.accept()) {
        assertThat(inside.getInputStream().readNBytes(6)).asString().isEqualTo("early ");
        inside.getOutputStream().write("answer".getBytes(StandardCharsets.UTF_8));
        await().until(() -> messages.text(2).endsWith("answer"));
        await().until(() -> messages.text(1).endsWith("nobody is there"));
        // Data of a port that could not be connected, and of one that nobody named, goes nowhere.
        socket.sendBinary(message(0, "lost"), true).join();
        socket.sendBinary(message(8, "lost"), true).join();
        socket.sendBinary(message(2, "late"), true).join();
        assertThat(inside.getInputStream().readNBytes(4)).asString().isEqualTo("late");
        assertThat(messages.closed.getCount()).isEqualTo(1);
      }
      assertThat(messages.closed.await(20, TimeUnit.SECONDS)).as("the last has ended").isTrue();

      WebSocket other = forward(http, ticket, new Messages());
      try (Socket inside = target.accept()) {
        other.abort();
        assertThat(inside.getInputStream().read()).isEqualTo(-1);
      }
      Ticket.PortForward none = new Ticket.PortForward(List.of(), ticket.connect());
      assertThatThrownBy(() -> forward(http, none, new Messages()))
          .rootCause()
          .hasMessageContaining("400");
    }
  }

  private WebSocket forward(HttpClient http, Ticket.PortForward ticket, Messages messages)
      throws Exception {
    return http.newWebSocketBuilder()
        .subprotocols("v4.channel.k8s.io")
        .buildAsync(URI.create("ws" + server.url(ticket).substring(4)), messages)
        .get(20, TimeUnit.SECONDS);
  }

  private static void echo(ServerSocket target) {
    try (Socket socket = target.accept()) {
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void saysWhereItCanNotListen() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      InetSocketAddress address =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), taken.getLocalPort());
      assertThatThrownBy(
              () -> new StreamingServer(new StreamingConfig(address, Optional.empty())).close())
          .isInstanceOf(PeapodException.class)
          .hasMessageContaining("can not listen at");
    }
    assertThat(server.url(new Ticket.PortForward(List.of(), Fd::new)))
        .startsWith("http://127.0.0.1:")
        .contains("/portforward/");
  }
}
