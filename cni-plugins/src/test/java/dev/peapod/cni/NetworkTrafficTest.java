package dev.peapod.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real packets through the built-in network.
class NetworkTrafficTest {
  @TempDir Path state;
  private NetworkRig rig;

  @BeforeEach
  void open() throws Exception {
    rig = new NetworkRig(state);
  }

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  @Test
  void podsReachEachOtherAndTheirBridgeAndThemselves() throws Exception {
    ScratchNamespace a = rig.pod();
    ScratchNamespace b = rig.pod();
    Attachment first = rig.attach("a", a);
    Attachment second = rig.attach("b", b);
    assertThat(first.ips()).containsExactly("10.231.0.2");
    assertThat(first.gateway()).contains(NetworkRig.GATEWAY);
    assertThat(first.interfaceName()).isEqualTo("eth0");
    assertThat(first.mac()).isEqualTo("0a:58:0a:e7:00:02");

    b.serve(second.ips().getFirst(), 80, "b");
    rig.host.serve(NetworkRig.GATEWAY, 81, "host");
    a.serve("127.0.0.1", 82, "a");
    assertThat(a.ask("10.231.0.3", 80)).isEqualTo("b 10.231.0.2");
    assertThat(a.ask(NetworkRig.GATEWAY, 81)).isEqualTo("host 10.231.0.2");
    assertThat(a.ask("127.0.0.1", 82)).isEqualTo("a 127.0.0.1");
    assertThat(rig.host.ask("10.231.0.3", 80)).isEqualTo("b 10.231.0.1");
  }

  @Test
  void whatPodsSendOutsideComesFromTheHost() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a);
    rig.outside.serve("192.0.2.9", 80, "outside");
    assertThat(a.ask("192.0.2.9", 80)).isEqualTo("outside " + NetworkRig.HOST);
  }

  @Test
  void hostPortsAreReachedFromEverywhere() throws Exception {
    ScratchNamespace a = rig.pod();
    ScratchNamespace b = rig.pod();
    rig.attach("a", a, NetworkRig.tcp(8080, 80));
    rig.attach("b", b);
    a.serve("10.231.0.2", 80, "a");

    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");
    assertThat(rig.host.ask(NetworkRig.HOST, 8080)).isEqualTo("a " + NetworkRig.HOST);
    assertThat(rig.host.ask(NetworkRig.GATEWAY, 8080)).isEqualTo("a " + NetworkRig.GATEWAY);
    assertThat(rig.host.ask("127.0.0.1", 8080)).isEqualTo("held a " + NetworkRig.GATEWAY);
    assertThat(rig.host.ask("::1", 8080)).isEqualTo("held a " + NetworkRig.GATEWAY);
    assertThat(b.ask(NetworkRig.HOST, 8080)).isEqualTo("a " + NetworkRig.GATEWAY);
    assertThat(b.ask(NetworkRig.GATEWAY, 8080)).isEqualTo("a " + NetworkRig.GATEWAY);
    assertThat(a.ask(NetworkRig.HOST, 8080)).isEqualTo("a " + NetworkRig.GATEWAY);
  }

  @Test
  void aHostPortOfOneAddressIsNotOneOfTheOthers() throws Exception {
    ScratchNamespace a = rig.pod();
    ScratchNamespace b = rig.pod();
    rig.attach("a", a, new PortMapping(Protocol.TCP, 80, 8080, NetworkRig.HOST));
    rig.attach("b", b, new PortMapping(Protocol.TCP, 80, 8081, "127.0.0.1"));
    a.serve("10.231.0.2", 80, "a");
    b.serve("10.231.0.3", 80, "b");

    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");
    assertThat(rig.host.ask("127.0.0.1", 8081)).isEqualTo("held b " + NetworkRig.GATEWAY);
    assertThatThrownBy(() -> rig.host.ask("127.0.0.1", 8080)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> rig.outside.ask(NetworkRig.HOST, 8081))
        .isInstanceOf(IOException.class);
  }

  @Test
  void udpHostPortsCarryAnswersBack() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a, new PortMapping(Protocol.UDP, 53, 5353, ""));
    DatagramChannel server = a.datagrams("10.231.0.2", 53);
    DatagramChannel client = rig.outside.datagrams("192.0.2.9", 0);
    client.send(
        StandardCharsets.UTF_8.encode("ask"), new InetSocketAddress(NetworkRig.HOST, 5353));
    byte[] question = new byte[64];
    var packet = new java.net.DatagramPacket(question, question.length);
    server.socket().receive(packet);
    assertThat(packet.getAddress().getHostAddress()).isEqualTo("192.0.2.9");
    server.send(ByteBuffer.wrap(new byte[] {42}), packet.getSocketAddress());
    var answer = new java.net.DatagramPacket(new byte[8], 8);
    client.socket().receive(answer);
    assertThat(answer.getSocketAddress())
        .isEqualTo(new InetSocketAddress(NetworkRig.HOST, 5353));
  }

  /// A client that goes on sending from the same port is led to the pod that has the port now.
  @Test
  void aUdpHostPortIsTheNextPodsAtOnce() throws Exception {
    DatagramChannel client = rig.outside.datagrams("192.0.2.9", 4000);
    client.socket().setSoTimeout(5000);
    PortMapping port = new PortMapping(Protocol.UDP, 53, 5353, "");
    for (String id : new String[] {"a", "b"}) {
      ScratchNamespace pod = rig.pod();
      String address = rig.attach(id, pod, port).ips().getFirst();
      DatagramChannel server = pod.datagrams(address, 53);
      server.socket().setSoTimeout(5000);
      for (int i = 0; i < 3; i++) {
        client.send(
            StandardCharsets.UTF_8.encode(id), new InetSocketAddress(NetworkRig.HOST, 5353));
        var packet = new java.net.DatagramPacket(new byte[8], 8);
        server.socket().receive(packet);
        server.send(ByteBuffer.wrap(id.getBytes(StandardCharsets.UTF_8)), packet.getSocketAddress());
        client.socket().receive(packet);
        assertThat(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8))
            .isEqualTo(id);
      }
      rig.detach(id);
    }
  }

  @Test
  void podsDoNotReachTheHostsLoopback() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a, NetworkRig.tcp(8080, 80));
    rig.host.serve("127.0.0.1", 9000, "secret");
    // A pod with privileges can send to 127.0.0.1 by the bridge; the host must not take it.
    a.exec("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1");
    a.exec("ip", "addr", "flush", "dev", "lo");
    a.exec("ip", "route", "replace", "127.0.0.0/8", "via", NetworkRig.GATEWAY, "dev", "eth0");

    assertThat(rig.host.exec("cat", "/proc/sys/net/ipv4/conf/peanet0/route_localnet"))
        .isEqualTo("0\n");
    for (int port : new int[] {9000, 8080}) {
      assertThatThrownBy(() -> a.ask("127.0.0.1", port)).isInstanceOf(IOException.class);
    }
    // The same way is open once the host allows it, so it was the host that refused.
    rig.host.exec("sysctl", "-qw", "net.ipv4.conf.peanet0.route_localnet=1");
    assertThat(a.ask("127.0.0.1", 9000)).startsWith("secret");
  }

  @Test
  void routerAdvertisementsAreIgnoredInPodsAndOnTheBridge() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a);
    assertThat(a.exec("cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra")).isEqualTo("0\n");
    assertThat(rig.host.exec("cat", "/proc/sys/net/ipv6/conf/peanet0/accept_ra"))
        .isEqualTo("0\n");
  }

  @Test
  void aPortTakenByAProgramIsAClash() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.host.serve("0.0.0.0", 8080, "program");
    assertThatThrownBy(() -> rig.attach("a", a, NetworkRig.tcp(8080, 80)))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("8080");
    assertThat(rig.host.ask("127.0.0.1", 8080)).startsWith("program");
    assertThat(a.exec("ip", "link")).doesNotContain("eth0");
  }

  @Test
  void aClashWithAnotherPodLeavesThatPodsPortAlone() throws Exception {
    ScratchNamespace a = rig.pod();
    ScratchNamespace b = rig.pod();
    rig.attach("a", a, NetworkRig.tcp(8080, 80), new PortMapping(Protocol.SCTP, 80, 81, ""));
    a.serve("10.231.0.2", 80, "a");
    assertThatThrownBy(() -> rig.attach("b", b, NetworkRig.tcp(8080, 80)))
        .isInstanceOf(PeapodException.class);
    assertThatThrownBy(
            () -> rig.attach("b", b, new PortMapping(Protocol.SCTP, 80, 81, "")))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("*:81/sctp")
        .hasMessageContaining("taken by sandbox a");
    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");
    rig.network.check("a");

    // What failed can be tried again in the same namespace.
    assertThat(rig.attach("b", b, NetworkRig.tcp(8081, 80)).ips()).hasSize(1);
  }

  @Test
  void anAddressIsUsableAgainWhileTheOldLinkIsStillThere() throws Exception {
    NetworkList tiny =
        NetworkList.builtIn(
            Path.of("/nowhere"), new NetworkDefaults("peanet", "peanet0", "10.231.0.0/30", 0));
    Network network = rig.open(tiny);
    ScratchNamespace before = rig.pod();
    ScratchNamespace after = rig.pod();
    network.attach(NetworkRig.request("before", before));
    rig.host.serve(NetworkRig.GATEWAY, 81, "host");
    before.serve("10.231.0.2", 80, "before");
    assertThat(rig.host.ask("10.231.0.2", 80)).startsWith("before");
    network.detach("before");
    network.attach(NetworkRig.request("after", after));
    after.serve("10.231.0.2", 80, "after");
    // The old namespace is kept by this test, so both links are there.
    assertThat(after.ask(NetworkRig.GATEWAY, 81)).isEqualTo("host 10.231.0.2");
    // What the old one still says does not lead answers to it.
    before
        .datagrams("10.231.0.2", 9)
        .send(
            StandardCharsets.UTF_8.encode("still here"),
            new InetSocketAddress(InetAddress.ofLiteral(NetworkRig.GATEWAY), 9));
    assertThat(rig.host.ask("10.231.0.2", 80)).startsWith("after");
    network.close();
  }
}
