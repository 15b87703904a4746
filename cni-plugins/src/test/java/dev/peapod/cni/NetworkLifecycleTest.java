package dev.peapod.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.peapod.cni.host.Leases;
import dev.peapod.error.PeapodException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is made, recorded, found again and taken away.
class NetworkLifecycleTest {
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
  void leavesTheHostAsItWas() throws Exception {
    rig.host.exec(
        "nft", "add table inet theirs { chain c { type filter hook forward priority 0; } ; }");
    String before = picture();
    ScratchNamespace a = rig.pod();
    rig.attach("a", a, NetworkRig.tcp(8080, 80));
    rig.attach("b", rig.pod());
    assertThat(rig.host.exec("sysctl", "-n", "net.ipv4.ip_forward")).isEqualTo("1\n");
    assertThat(picture()).isNotEqualTo(before).contains("peanet0", NetworkRig.TABLE);

    rig.network.shutdownIfUnused();
    assertThat(picture()).contains("peanet0", NetworkRig.TABLE);
    rig.detach("a");
    rig.network.shutdownIfUnused();
    assertThat(picture()).contains("peanet0", NetworkRig.TABLE);
    rig.detach("b");
    a.close();
    rig.network.shutdownIfUnused();
    rig.network.shutdownIfUnused();
    Awaitility.await().untilAsserted(() -> assertThat(linksOfPods()).hasSize(1));
    rig.host.exec("ip", "link", "del", linksOfPods().getFirst());
    assertThat(picture()).isEqualTo(before);
    assertThat(files()).isEmpty();

    rig.attach("c", rig.pod());
    assertThat(picture()).contains("peanet0", NetworkRig.TABLE);
  }

  @Test
  void theRangeChangesOnlyWhileNobodyHasAnAddress() throws Exception {
    rig.attach("a", rig.pod());
    assertThat(rig.network.changeRange("10.231.0.0/24")).isTrue();
    assertThatThrownBy(() -> rig.network.changeRange("10.231.77.0/24"))
        .asInstanceOf(type(PeapodException.class))
        .matches(e -> e.kind() == PeapodException.Kind.FAILED_PRECONDITION);
    rig.detach("a");
    for (String wrong : List.of("10.231.77.0", "10.231.77.1/24", "10.231.77.0/31", "x/24")) {
      assertThatThrownBy(() -> rig.network.changeRange(wrong))
          .asInstanceOf(type(PeapodException.class))
          .matches(e -> e.kind() == PeapodException.Kind.INVALID, wrong);
    }
    assertThatThrownBy(() -> rig.network.changeRange("fd00:77::/64"))
        .hasMessageContaining("IPv4 addresses only");

    assertThat(rig.network.changeRange("10.231.77.0/24")).isTrue();
    ScratchNamespace b = rig.pod();
    assertThat(rig.attach("b", b).ips()).containsExactly("10.231.77.2");
    assertThat(rig.host.exec("ip", "-o", "address", "show", "peanet0"))
        .contains("10.231.77.1/24")
        .doesNotContain("10.231.0.1");
    b.serve("10.231.77.2", 80, "b");
    assertThat(rig.host.ask("10.231.77.2", 80)).startsWith("b ");
    rig.restart();
    rig.network.reconcile(Set.of("b"));
    assertThat(rig.attach("c", rig.pod()).ips()).containsExactly("10.231.77.3");
  }

  @Test
  void theRangeOfANetworkInFilesIsTheFiles() throws Exception {
    NetworkList list =
        NetworkList.parse(
            """
            {"cniVersion": "1.0.0", "name": "x", "type": "bridge", "bridge": "peanet5",
             "ipam": {"type": "host-local", "subnet": "10.231.5.0/24"}}
            """
                .getBytes(java.nio.charset.StandardCharsets.UTF_8),
            "a file",
            List.of());
    try (Network configured = rig.open(list)) {
      assertThat(configured.changeRange("10.231.77.0/24")).isFalse();
    }
  }

  @Test
  void forwardingThatWasOnStaysOnAndIsSharedWithOtherDaemons() throws Exception {
    NetworkDefaults defaults = new NetworkDefaults("other", "peanet9", "10.231.9.0/24", 0);
    NetworkList list = NetworkList.builtIn(Path.of("/nowhere"), defaults);
    Network other =
        Network.open(
            list, state.resolve("other"), rig.holder, dev.peapod.cni.host.Host.at(rig.host.path()));
    // A new namespace has what the machine's first one has.
    rig.host.exec("sysctl", "-qw", "net.ipv4.ip_forward=0");
    rig.attach("a", rig.pod());
    other.attach(NetworkRig.request("b", rig.pod()));
    rig.detach("a");
    rig.network.shutdownIfUnused();
    assertThat(rig.host.exec("sysctl", "-n", "net.ipv4.ip_forward")).isEqualTo("1\n");
    other.detach("b");
    other.shutdownIfUnused();
    assertThat(rig.host.exec("sysctl", "-n", "net.ipv4.ip_forward")).isEqualTo("0\n");

    rig.host.exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
    rig.attach("c", rig.pod());
    rig.detach("c");
    rig.network.shutdownIfUnused();
    assertThat(rig.host.exec("sysctl", "-n", "net.ipv4.ip_forward")).isEqualTo("1\n");
    other.close();
  }

  @Test
  void aRestartedDaemonKnowsAndServesWhatLives() throws Exception {
    ScratchNamespace a = rig.pod();
    Attachment attachment = rig.attach("a", a, NetworkRig.tcp(8080, 80));
    a.serve("10.231.0.2", 80, "a");
    rig.restart();
    rig.network.reconcile(Set.of("a"));
    assertThat(rig.network.attachment("a")).contains(attachment);
    rig.network.check("a");
    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");
    rig.detach("a");
    rig.detach("a");
    assertThat(rig.network.attachment("a")).isEmpty();
    assertThat(elements()).doesNotContain("10.231.0.2");
    assertThat(rig.holder.sandboxes()).isEmpty();
  }

  @Test
  void reconcileTakesFromTheDeadAndFromNobodyElse() throws Exception {
    ScratchNamespace live = rig.pod();
    rig.attach("live", live, NetworkRig.tcp(8080, 80));
    ScratchNamespace dead = rig.pod();
    rig.attach("dead", dead, NetworkRig.tcp(8081, 80));
    // Half-made: recorded, leased, ports entered, no result; as if the daemon had been killed.
    rig.attach("half", rig.pod(), NetworkRig.tcp(8082, 80));
    Path half = state.resolve("network/results/half");
    String record = Files.readString(half);
    Files.writeString(half, record.substring(0, record.length() - 7));
    // Only leased, or interrupted while the record was written, or not ours at all.
    new Leases(state.resolve("network/leases"))
        .take(
            "peanet",
            new Leases.Range(
                dev.peapod.linux.netlink.IpPrefix.parse("10.231.0.0/24"),
                InetAddress.ofLiteral("10.231.0.100"),
                InetAddress.ofLiteral("10.231.0.100"),
                InetAddress.ofLiteral(NetworkRig.GATEWAY)),
            "leased:eth0");
    Files.writeString(state.resolve("network/results/torn"), "{\"vers");
    Files.writeString(state.resolve("network/results/foreign"), "not ours");
    rig.host.exec("ip", "link", "add", "peasimilar", "type", "bridge");
    rig.host.exec(
        "nft", "add element inet peapod-peanet0 ports4 { tcp . 7000 : 10.231.0.77 . 1 }");

    rig.restart();
    rig.network.reconcile(Set.of("live"));
    assertThat(leases()).containsExactly("10.231.0.2");
    assertThat(elements()).contains("10.231.0.2 . 80", "10.231.0.77 . 1");
    assertThat(elements()).doesNotContain("10.231.0.3", "10.231.0.4");
    assertThat(rig.holder.sandboxes()).containsExactly("live");
    assertThat(linksOfPods()).hasSize(1);
    assertThat(rig.host.exec("ip", "link")).contains("peasimilar");
    assertThat(dead.exec("ip", "link")).doesNotContain("eth0");
    assertThat(files())
        .contains("results/live", "results/.damaged-foreign", "results/.damaged-torn")
        .doesNotContain("results/dead", "results/half", "results/torn", "results/foreign");
    rig.network.check("live");
    rig.network.reconcile(Set.of());
    assertThat(leases()).isEmpty();
  }

  @Test
  void aFlushedRulesetIsMadeAgainWithThePortsOfThoseWhoLive() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a, NetworkRig.tcp(8080, 80));
    a.serve("10.231.0.2", 80, "a");
    rig.host.exec("nft", "flush", "ruleset");
    assertThatThrownBy(() -> rig.network.check("a"))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("host ports");
    rig.attach("b", rig.pod());
    rig.network.check("a");
    assertThat(rig.outside.ask(NetworkRig.HOST, 8080)).isEqualTo("a 192.0.2.9");

    rig.host.exec("nft", "flush", "ruleset");
    rig.detach("a");
    assertThat(rig.network.attachment("a")).isEmpty();
  }

  @Test
  void aDeletedBridgeIsMadeAgain() throws Exception {
    rig.attach("a", rig.pod());
    rig.host.exec("ip", "link", "del", "peanet0");
    ScratchNamespace b = rig.pod();
    rig.attach("b", b);
    rig.host.serve(NetworkRig.GATEWAY, 81, "host");
    assertThat(b.ask(NetworkRig.GATEWAY, 81)).startsWith("host");
    assertThatThrownBy(() -> rig.network.check("a")).isInstanceOf(PeapodException.class);
  }

  @Test
  void aFullRangeIsNamedAndNothingIsLeft() throws Exception {
    Network tiny =
        rig.open(
            NetworkList.builtIn(
                Path.of("/nowhere"), new NetworkDefaults("tiny", "peanet0", "10.231.0.0/30", 0)));
    tiny.attach(NetworkRig.request("a", rig.pod()));
    ScratchNamespace b = rig.pod();
    assertThatThrownBy(() -> tiny.attach(NetworkRig.request("b", b)))
        .asInstanceOf(type(PeapodException.class))
        .satisfies(
            e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.RESOURCE_EXHAUSTED))
        .extracting(Throwable::getMessage)
        .asString()
        .contains("\"tiny\"", "10.231.0.1-10.231.0.2");
    assertThat(tiny.attachment("b")).isEmpty();
    assertThat(linksOfPods()).hasSize(1);
    tiny.detach("a");
    assertThat(tiny.attach(NetworkRig.request("b", b)).ips()).containsExactly("10.231.0.2");
    tiny.close();
  }

  @Test
  void aRangeOfTheHostsOwnIsRefused() throws Exception {
    NetworkDefaults overlapping = new NetworkDefaults("x", "peanet7", "192.0.0.0/16", 0);
    Network network = rig.open(NetworkList.builtIn(Path.of("/nowhere"), overlapping));
    assertThatThrownBy(() -> network.attach(NetworkRig.request("a", rig.pod())))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("overlaps the host's route to 192.0.2.0/24");
    network.shutdownIfUnused();
    assertThat(rig.host.exec("ip", "link")).doesNotContain("peanet7");
    network.close();
  }

  @Test
  void badRequestsAreRefusedInASentence() throws Exception {
    ScratchNamespace a = rig.pod();
    rig.attach("a", a);
    assertThatThrownBy(() -> rig.attach("a", a))
        .hasMessageContaining("is attached to the network already");
    assertThatThrownBy(() -> NetworkRig.request("../a", a)).isInstanceOf(PeapodException.class);
    assertThatThrownBy(
            () -> rig.attach("b", rig.pod(), NetworkRig.tcp(80, 1), NetworkRig.tcp(80, 2)))
        .hasMessageContaining("*:80/tcp is asked for twice");
    assertThatThrownBy(
            () ->
                rig.attach(
                    "b", rig.pod(), new PortMapping(Protocol.TCP, 80, 80, "localhost")))
        .hasMessageContaining("\"localhost\" is no IP address");
    assertThatThrownBy(
            () ->
                rig.network.attach(
                    new AttachRequest("c", "n", "c", "", Path.of("/run/netns/none"), List.of())))
        .asInstanceOf(type(PeapodException.class))
        .satisfies(e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.NOT_FOUND));
    assertThat(leases()).containsExactly("10.231.0.2");
    assertThatThrownBy(() -> rig.network.check("c")).hasMessageContaining("not attached");
  }

  @Test
  void manyAtOnceGetAddressesOfTheirOwn() throws Exception {
    int count = 24;
    List<ScratchNamespace> pods = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pods.add(rig.pod());
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Attachment>> attaches = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int n = i;
        attaches.add(() -> rig.attach("p" + n, pods.get(n), NetworkRig.tcp(9000 + n, 80)));
      }
      List<String> addresses = new ArrayList<>();
      for (Future<Attachment> attached : threads.invokeAll(attaches)) {
        addresses.addAll(attached.get().ips());
      }
      assertThat(addresses).hasSize(count).doesNotHaveDuplicates();
      List<Callable<Void>> detaches = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int n = i;
        detaches.add(
            () -> {
              rig.detach("p" + n);
              return null;
            });
      }
      for (Future<Void> detached : threads.invokeAll(detaches)) {
        detached.get();
      }
    }
    assertThat(leases()).isEmpty();
    assertThat(elements()).doesNotContain("10.231.0");
  }

  private String elements() throws Exception {
    return rig.host.exec("nft", "list", "map", "inet", NetworkRig.TABLE, "ports4");
  }

  private List<String> leases() throws Exception {
    try (Stream<Path> files = Files.list(state.resolve("network/leases/peanet"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .toList();
    }
  }

  private List<String> files() throws Exception {
    Path network = state.resolve("network");
    if (!Files.exists(network)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(network)) {
      return files
          .filter(file -> !file.equals(network))
          .map(file -> network.relativize(file).toString())
          .toList();
    }
  }

  private List<String> linksOfPods() throws Exception {
    return rig.host.exec("ip", "-br", "link").lines()
        .map(line -> line.split("[ @]", 2)[0])
        .filter(name -> name.matches("pea[0-9a-f]{12}"))
        .toList();
  }

  /// All that may have changed on the host: links, addresses, routes, rules, forwarding.
  private String picture() throws Exception {
    return rig.host.exec("ip", "-br", "link")
        + rig.host.exec("ip", "-4", "-br", "addr")
        + rig.host.exec("ip", "route", "show", "table", "all", "type", "unicast")
        + rig.host.exec("nft", "list", "ruleset")
        + rig.host.exec("sysctl", "net.ipv4.ip_forward");
  }
}
