package dev.peapod.dns;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/// Asks other servers, one after the other, and waits for the answer. Bytes go on as they came, so that what is not
/// known here, and names that point to others, stay as they are. Each question has a port and a number of its own that
/// nobody can guess, and only its server's answer to it counts. Thread-safe.
final class Forwarder {
  /// For how long a server that did not answer is asked last.
  private static final long AVOIDED_NANOS = Duration.ofSeconds(30).toNanos();

  /// Bytes of the largest datagram that is taken; what is larger is to be asked for by TCP.
  private static final int LARGEST = 4096;

  private final Supplier<List<InetSocketAddress>> servers;
  private final Duration patience;
  private final SecureRandom random = new SecureRandom();
  private final Map<InetSocketAddress, Long> silent = new ConcurrentHashMap<>();

  /// @param servers to be asked, at best the first; asked for each time
  /// @param patience how long a server may take
  Forwarder(Supplier<List<InetSocketAddress>> servers, Duration patience) {
    this.servers = servers;
    this.patience = patience;
  }

  /// The answer of the first server that has one, with the number that the query has.
  ///
  /// @param stream by TCP
  /// @throws IOException if there is no server, or none answers
  byte[] ask(Query query, boolean stream) throws IOException {
    IOException failure = new IOException("there is no server to ask");
    byte[] unhelpful = null;
    for (InetSocketAddress server : inOrder()) {
      try {
        byte[] reply = stream ? byStream(query, server) : byDatagram(query, server);
        silent.remove(server);
        int code = Codes.of(reply);
        if (code == Codes.NO_ERROR || code == Codes.NO_NAME) {
          return Query.numbered(reply, query.id());
        }
        unhelpful = reply;
      } catch (IOException e) {
        silent.put(server, System.nanoTime());
        failure = e;
      }
    }
    if (unhelpful != null) {
      return Query.numbered(unhelpful, query.id());
    }
    throw failure;
  }

  private List<InetSocketAddress> inOrder() {
    List<InetSocketAddress> all = new ArrayList<>(servers.get());
    silent.keySet().retainAll(all);
    all.sort(Comparator.comparing(this::isSilent));
    return all;
  }

  private boolean isSilent(InetSocketAddress server) {
    Long since = silent.get(server);
    return since != null && System.nanoTime() - since < AVOIDED_NANOS;
  }

  private byte[] byDatagram(Query query, InetSocketAddress server) throws IOException {
    int id = random.nextInt(1 << 16);
    byte[] request = Query.numbered(query.message(), id);
    long end = System.nanoTime() + patience.toNanos();
    try (DatagramSocket socket = new DatagramSocket()) {
      // The kernel takes datagrams of this server alone.
      socket.connect(server);
      socket.send(new DatagramPacket(request, request.length));
      DatagramPacket packet = new DatagramPacket(new byte[LARGEST + 1], LARGEST + 1);
      while (true) {
        socket.setSoTimeout(millisUntil(end));
        socket.receive(packet);
        byte[] reply = Arrays.copyOf(packet.getData(), packet.getLength());
        if (query.isAnsweredBy(reply, id)) {
          return reply.length > LARGEST ? MessageWriter.cut(query, reply) : reply;
        }
      }
    }
  }

  private byte[] byStream(Query query, InetSocketAddress server) throws IOException {
    int id = random.nextInt(1 << 16);
    long end = System.nanoTime() + patience.toNanos();
    try (Socket socket = new Socket()) {
      socket.connect(server, millisUntil(end));
      socket.setSoTimeout(millisUntil(end));
      byte[] request = Query.numbered(query.message(), id);
      byte[] framed = new byte[request.length + 2];
      framed[0] = (byte) (request.length >> 8);
      framed[1] = (byte) request.length;
      System.arraycopy(request, 0, framed, 2, request.length);
      OutputStream out = socket.getOutputStream();
      out.write(framed);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] reply = new byte[in.readUnsignedShort()];
      for (int have = 0; have < reply.length; ) {
        // One byte at a time would otherwise take as long as it likes.
        socket.setSoTimeout(millisUntil(end));
        int count = in.read(reply, have, reply.length - have);
        if (count < 0) {
          throw new EOFException(server + " ended in the middle of its answer");
        }
        have += count;
      }
      if (!query.isAnsweredBy(reply, id)) {
        throw new IOException(server + " answered something else");
      }
      return reply;
    }
  }

  private static int millisUntil(long end) throws SocketTimeoutException {
    long left = (end - System.nanoTime()) / 1_000_000;
    if (left <= 0) {
      throw new SocketTimeoutException("it took too long");
    }
    return (int) left;
  }
}
