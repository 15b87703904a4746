package dev.peapod.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/// Somebody else's DNS server, which answers whatever a test says.
final class Upstream implements AutoCloseable {
  final AtomicInteger asked = new AtomicInteger();
  private final DatagramSocket datagrams;
  private final ServerSocket streams;

  /// @param byDatagram the datagrams that answer a question
  Upstream(Function<byte[], List<byte[]>> byDatagram, Function<byte[], byte[]> byStream)
      throws IOException {
    streams = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    datagrams = new DatagramSocket(streams.getLocalSocketAddress());
    Thread.ofVirtual().start(() -> datagrams(byDatagram));
    Thread.ofVirtual().start(() -> streams(byStream));
  }

  InetSocketAddress address() {
    return (InetSocketAddress) streams.getLocalSocketAddress();
  }

  private void datagrams(Function<byte[], List<byte[]>> answers) {
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(new byte[5000], 5000);
        datagrams.receive(packet);
        asked.incrementAndGet();
        byte[] question = Arrays.copyOf(packet.getData(), packet.getLength());
        for (byte[] answer : answers.apply(question)) {
          datagrams.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void streams(Function<byte[], byte[]> answer) {
    try {
      while (true) {
        try (Socket socket = streams.accept()) {
          asked.incrementAndGet();
          DataInputStream in = new DataInputStream(socket.getInputStream());
          byte[] question = new byte[in.readUnsignedShort()];
          in.readFully(question);
          byte[] message = answer.apply(question);
          DataOutputStream out = new DataOutputStream(socket.getOutputStream());
          out.writeShort(message.length);
          out.write(message);
        }
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  /// An answer with records.
  static byte[] answer(byte[] question, int code, DnsRecord... records) {
    Query query = Query.parse(question);
    return MessageWriter.write(
        query,
        new MessageWriter.Contents(code, true, List.of(records), List.of(), List.of()),
        query.limit(true),
        60);
  }

  @Override
  public void close() throws IOException {
    datagrams.close();
    streams.close();
  }
}
