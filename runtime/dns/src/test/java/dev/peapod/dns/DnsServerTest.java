package dev.peapod.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The server at a real port.
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class DnsServerTest {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

  private final TestZone zone = new TestZone();
  private DnsServer server;

  @BeforeEach
  void open() throws IOException {
    zone.records.add(
        new DnsRecord.Address(Name.of("web.x"), InetAddress.ofLiteral("10.0.0.1")));
    server = DnsServer.open(ANY, zone, asker -> true, List::of);
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void itAnswersByDatagramAndByStream() throws IOException {
    byte[] question = Ask.question("web.x", Types.A);
    assertThat(Ask.read(Ask.byDatagram(server.address(), question, 30_000)))
        .containsExactly("NOERROR aa", "answer web.x. 5 A 10.0.0.1");
    assertThat(Ask.read(Ask.byStream(server.address(), question)))
        .containsExactly("NOERROR aa", "answer web.x. 5 A 10.0.0.1");
  }

  @Test
  void severalQuestionsMayComeByOneStream() throws IOException {
    try (Socket socket = new Socket(server.address().getAddress(), server.address().getPort())) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      byte[] question = Ask.question("web.x", Types.A);
      for (int i = 0; i < 3; i++) {
        out.writeShort(question.length);
        out.write(question);
      }
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (int i = 0; i < 3; i++) {
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        assertThat(Ask.read(answer)).hasSize(2);
      }
      // What is longer than any question ends the connection.
      out.writeShort(60_000);
      out.write(new byte[5000]);
      assertThat(in.read()).isNegative();
    } catch (java.net.SocketException e) {
      assertThat(e).hasMessageContaining("reset");
    }
  }

  @Test
  void othersAreNotAnswered() throws IOException {
    try (DnsServer closed = DnsServer.open(ANY, zone, asker -> false, List::of)) {
      byte[] question = Ask.question("web.x", Types.A);
      assertThatThrownBy(() -> Ask.byDatagram(closed.address(), question, 300))
          .isInstanceOf(SocketTimeoutException.class);
      assertThatThrownBy(() -> Ask.byStream(closed.address(), question))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void itGoesOnWhateverComes() throws IOException {
    Random random = new Random(3);
    byte[] question = Ask.question("web.x", Types.A);
    try (DatagramSocket socket = new DatagramSocket()) {
      for (int round = 0; round < 40; round++) {
        // No more than a socket keeps, or the question would be lost among them.
        for (int i = 0; i < 25; i++) {
          byte[] bytes = new byte[random.nextInt(100)];
          random.nextBytes(bytes);
          socket.send(new DatagramPacket(bytes, bytes.length, server.address()));
        }
        assertThat(Ask.read(Ask.byDatagram(server.address(), question, 30_000))).hasSize(2);
      }
    }
  }

  @Test
  void aPlaceThatIsTakenIsSaidSo() {
    assertThatThrownBy(() -> DnsServer.open(server.address(), zone, asker -> true, List::of))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("can not answer at 127.0.0.1 port " + server.address().getPort());
  }

  @Test
  void anAddressThatIsNotThereYetIsNoHindrance() throws IOException {
    InetSocketAddress later = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.77"), 0);
    try (DnsServer early = DnsServer.open(later, zone, asker -> true, List::of)) {
      assertThat(early.address().getPort()).isPositive();
    }
  }

  @Test
  void whomTheHostAsksIsReadAsKubeletsDo(@TempDir Path directory) throws IOException {
    Path host = directory.resolve("host");
    Path resolved = directory.resolve("resolved");
    Files.writeString(
        host,
        """
        # a comment
        nameserver 127.0.0.53
        search one.example two.example
        options edns0 trust-ad
        """);
    assertThat(ResolvConf.of(host, resolved))
        .isEqualTo(
            new ResolvConf(
                List.of("127.0.0.53"),
                List.of("one.example", "two.example"),
                List.of("edns0", "trust-ad")));
    Files.writeString(
        resolved,
        "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n");
    assertThat(ResolvConf.of(host, resolved).servers())
        .containsExactly("192.0.2.1", "192.0.2.2", "192.0.2.3");
    assertThat(ResolvConf.of(directory.resolve("none"), resolved))
        .isEqualTo(new ResolvConf(List.of(), List.of(), List.of()));
  }
}
