package dev.peapod.linux.netlink;

import static java.net.StandardProtocolFamily.INET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RtnetlinkTest {
  private static final MacAddress BRIDGE_MAC = MacAddress.parse("0a:58:0a:e7:00:01");
  private static final MacAddress PEER_MAC = MacAddress.parse("0a:58:0a:e7:00:02");

  private ScratchNamespace host;
  private ScratchNamespace pod;
  private Rtnetlink inHost;
  private Rtnetlink inPod;

  @BeforeEach
  void open() throws Exception {
    host = ScratchNamespace.create();
    pod = ScratchNamespace.create();
    inHost = new Rtnetlink(host.socket(NetlinkSocket.ROUTE));
    inPod = new Rtnetlink(pod.socket(NetlinkSocket.ROUTE));
  }

  @AfterEach
  void close() throws Exception {
    inHost.close();
    inPod.close();
    pod.close();
    host.close();
  }

  @Test
  void bridgeWithAPodBehindItCarriesPackets() throws Exception {
    inHost.links().createBridge("br0", BRIDGE_MAC);
    inHost.links().change("br0", LinkSettings.NONE.withUp(true));
    Link bridge = inHost.links().find("br0").orElseThrow();
    inHost.addresses().add(bridge.index(), IpPrefix.parse("10.231.0.1/24"));
    inHost.links().createVeth(pair("veth0", bridge.index()));
    inHost.links().change("veth0", LinkSettings.NONE.withUp(true).withHairpin(true));
    inPod.links().change("eth0", LinkSettings.NONE.withUp(true));
    Link eth0 = inPod.links().find("eth0").orElseThrow();
    inPod.addresses().add(eth0.index(), IpPrefix.parse("10.231.0.2/24"));
    Route route =
        new Route(
            IpPrefix.parse("0.0.0.0/0"),
            Optional.of(InetAddress.ofLiteral("10.231.0.1")),
            eth0.index());
    inPod.routes().add(route);

    assertThat(bridge.kind()).contains("bridge");
    assertThat(bridge.mac()).contains(BRIDGE_MAC);
    assertThat(eth0.mac()).contains(PEER_MAC);
    assertThat(eth0.up()).isTrue();
    assertThat(eth0.mtu()).isEqualTo(1400);
    Link veth = inHost.links().find("veth0").orElseThrow();
    assertThat(veth.master()).hasValue(bridge.index());
    assertThat(inPod.addresses().of(eth0.index())).contains(IpPrefix.parse("10.231.0.2/24"));
    assertThat(inPod.routes().list()).contains(route);
    assertThat(host.exec("ip", "-d", "link", "show", "veth0")).contains("hairpin on");
    assertThat(pod.exec("ip", "-4", "addr", "show", "eth0")).contains("brd 10.231.0.255");
    try (ServerSocketChannel server = pod.within(() -> ServerSocketChannel.open(INET));
        SocketChannel client = host.within(() -> SocketChannel.open(INET))) {
      server.bind(new InetSocketAddress("10.231.0.2", 0));
      client.connect(server.getLocalAddress());
      assertThat(client.getLocalAddress().toString()).contains("10.231.0.1");
    }
  }

  @Test
  void changesAndDeletesLinksByName() {
    inHost.links().createBridge("br0", BRIDGE_MAC);
    inHost.links().change("br0", LinkSettings.NONE.withAlias("peas").withMtu(1300).withUp(true));
    Link bridge = inHost.links().find("br0").orElseThrow();
    assertThat(bridge.alias()).contains("peas");
    assertThat(bridge.mtu()).isEqualTo(1300);
    assertThat(bridge.up()).isTrue();

    inHost.addresses().add(bridge.index(), IpPrefix.parse("10.231.0.1/24"));
    inHost.addresses().delete(bridge.index(), IpPrefix.parse("10.231.0.1/24"));
    inHost.addresses().delete(bridge.index(), IpPrefix.parse("10.231.0.1/24"));
    assertThat(inHost.addresses().of(bridge.index()))
        .noneMatch(a -> a.address().getHostAddress().equals("10.231.0.1"));

    inHost.links().delete("br0");
    inHost.links().delete("br0");
    assertThat(inHost.links().find("br0")).isEmpty();
  }

  @Test
  void carriesIpv6() {
    inPod.links().change("lo", LinkSettings.NONE.withUp(true));
    inPod.addresses().add(1, IpPrefix.parse("fd00:231::1/64"));
    assertThat(inPod.addresses().of(1))
        .contains(IpPrefix.parse("fd00:231::1/64"), IpPrefix.parse("127.0.0.1/8"));
  }

  @Test
  void lettingTheNamespaceGoTakesTheHostsEndWithIt() throws Exception {
    inHost.links().createVeth(pair("veth0", 0));
    assertThat(inHost.links().find("veth0")).isPresent();
    inPod.close();
    pod.close();
    org.awaitility.Awaitility.await()
        .untilAsserted(() -> assertThat(inHost.links().find("veth0")).isEmpty());
  }

  @Test
  void errorsCarryWhatTheKernelSays() {
    inHost.links().createBridge("br0", BRIDGE_MAC);
    assertThatThrownBy(() -> inHost.links().createBridge("br0", BRIDGE_MAC))
        .asInstanceOf(type(KernelException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
    assertThatThrownBy(
            () ->
                inHost
                    .routes()
                    .add(
                        new Route(
                            IpPrefix.parse("10.9.0.0/16"),
                            Optional.of(InetAddress.ofLiteral("10.250.0.1")),
                            1)))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("RTM_NEWROUTE(10.9.0.0/16 via 10.250.0.1)")
        .hasMessageMatching(".*\\(.*(gateway|nexthop|Device).*\\)");
  }

  @Test
  void listsEveryLinkOfAManyPortBridge() {
    for (int i = 0; i < 300; i++) {
      inHost.links().createBridge("br" + i, new MacAddress(0x0a5800000000L + i));
    }
    List<String> names = inHost.links().list().stream().map(Link::name).toList();
    assertThat(names).contains("lo", "br0", "br150", "br299").doesNotHaveDuplicates();
  }

  @Test
  void anAddressIsWhereItWasPlacedLast() throws Exception {
    inHost.links().createBridge("br0", BRIDGE_MAC);
    Link bridge = inHost.links().find("br0").orElseThrow();
    try (ScratchNamespace other = ScratchNamespace.create()) {
      inHost.links().createVeth(pair("veth0", bridge.index()));
      inHost
          .links()
          .createVeth(
              new VethPair(
                  "veth1",
                  OptionalInt.of(bridge.index()),
                  "eth0",
                  other.fd(),
                  Optional.of(PEER_MAC),
                  1400));
      for (String port : List.of("veth0", "veth1", "veth0")) {
        inHost.bridgeTable().place(PEER_MAC, inHost.links().find(port).orElseThrow().index());
        assertThat(host.exec("bridge", "fdb", "show", "br", "br0"))
            .containsOnlyOnce(PEER_MAC + " dev " + port + " sticky master br0 static");
      }
      assertThatThrownBy(() -> inHost.bridgeTable().place(PEER_MAC, bridge.index() + 1000))
          .asInstanceOf(type(KernelException.class))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }
  }

  private VethPair pair(String name, int master) {
    return new VethPair(
        name,
        master == 0 ? OptionalInt.empty() : OptionalInt.of(master),
        "eth0",
        pod.fd(),
        Optional.of(PEER_MAC),
        1400);
  }
}
