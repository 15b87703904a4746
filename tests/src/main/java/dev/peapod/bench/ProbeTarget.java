package dev.peapod.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What probes ask: an HTTP server on loopback that notes when it was asked for which path. Thread-safe.
final class ProbeTarget implements AutoCloseable {
  private static final byte[] OK =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
          .getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket server;
  private final Map<String, List<Long>> asked = new ConcurrentHashMap<>();

  ProbeTarget() throws IOException {
    server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().name("probe-target").start(this::serve);
  }

  int port() {
    return server.getLocalPort();
  }

  private void serve() {
    try {
      while (true) {
        Socket socket = server.accept();
        long now = System.nanoTime();
        Thread.ofVirtual().start(() -> answer(socket, now));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void answer(Socket asker, long now) {
    try (Socket socket = asker;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      String first = in.readLine();
      for (String line = first; line != null && !line.isEmpty(); line = in.readLine()) {}
      if (first != null) {
        asked.computeIfAbsent(first, path -> new ArrayList<>()).add(now);
        socket.getOutputStream().write(OK);
      }
    } catch (IOException e) {
      // The asker has left.
    }
  }

  /// Forgets what was asked so far.
  void forget() {
    asked.clear();
  }

  /// How far from due requests came, nanoseconds: each path's first one says when the later ones are.
  List<Long> late(long period) {
    List<Long> late = new ArrayList<>();
    for (List<Long> times : asked.values()) {
      for (long time : times.subList(1, times.size())) {
        long since = time - times.getFirst();
        late.add(Math.abs(since - Math.round((double) since / period) * period));
      }
    }
    return late;
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
