package dev.peapod.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.netlink.NetlinkSocket;
import dev.peapod.linux.netlink.ScratchNamespace;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NftablesTest {
  private static final String SCRIPT =
      """
      add table inet peas { comment "mine"; }
      add map inet peas ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
      add map inet peas hosts { type ipv4_addr . inet_service : ipv4_addr; }
      """;

  private ScratchNamespace namespace;
  private Nftables nft;

  @BeforeEach
  void open() throws Exception {
    namespace = ScratchNamespace.create();
    nft = new Nftables(namespace.socket(NetlinkSocket.NETFILTER));
  }

  @AfterEach
  void close() throws Exception {
    nft.close();
    namespace.close();
  }

  @Test
  void addsListsAndDeletesElementsAsNftSeesThem() throws Exception {
    run(SCRIPT);
    nft.addElements("peas", Map.of("ports", List.of(element(6, 8080, "10.0.0.2", 80, "pod a"))));

    assertThat(namespace.exec("nft", "list", "map", "inet", "peas", "ports"))
        .contains("tcp . 8080 comment \"pod a\" : 10.0.0.2 . 80");
    assertThat(nft.elements("peas", "ports"))
        .containsExactly(element(6, 8080, "10.0.0.2", 80, "pod a"));

    run("add element inet peas ports { udp . 53 : 10.0.0.3 . 5353 }");
    assertThat(nft.elements("peas", "ports")).contains(element(17, 53, "10.0.0.3", 5353, ""));
    nft.deleteElements("peas", Map.of("ports", List.of(element(6, 8080, "10.0.0.2", 80, ""))));
    assertThat(nft.elements("peas", "ports"))
        .containsExactly(element(17, 53, "10.0.0.3", 5353, ""));
  }

  @Test
  void aBatchIsAppliedAsAWholeOrNotAtAll() {
    run(SCRIPT);
    MapElement first = element(6, 80, "10.0.0.2", 80, "");
    nft.addElements("peas", Map.of("ports", List.of(first)));
    MapElement other = element(6, 81, "10.0.0.3", 80, "");
    MapElement clash = element(6, 80, "10.0.0.3", 80, "");
    assertThatThrownBy(() -> nft.addElements("peas", Map.of("ports", List.of(other, clash))))
        .asInstanceOf(type(KernelException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
    assertThat(nft.elements("peas", "ports")).containsExactly(first);

    assertThatThrownBy(() -> nft.deleteElements("peas", Map.of("ports", List.of(first, other))))
        .asInstanceOf(type(KernelException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    assertThat(nft.elements("peas", "ports")).containsExactly(first);
  }

  @Test
  void aBatchMaySpanMapsAndManyMessages() {
    run(SCRIPT);
    List<MapElement> many = new ArrayList<>();
    for (int port = 1; port <= 1000; port++) {
      many.add(element(6, port, "10.0.0.2", port, "pod with a name of usual length " + port));
    }
    MapElement host =
        new MapElement(
            new Concatenation().address(InetAddress.ofLiteral("192.0.2.1")).port(80).toBytes(),
            new Concatenation().address(InetAddress.ofLiteral("10.0.0.2")).toBytes(),
            "");
    nft.addElements("peas", Map.of("ports", many, "hosts", List.of(host)));
    assertThat(nft.elements("peas", "ports")).containsExactlyInAnyOrderElementsOf(many);
    assertThat(nft.elements("peas", "hosts")).containsExactly(host);
    nft.deleteElements("peas", Map.of("ports", many, "hosts", List.of(host)));
    assertThat(nft.elements("peas", "ports")).isEmpty();
  }

  @Test
  void tellsOfTablesAndDeletesThem() {
    assertThat(nft.table("peas")).isEmpty();
    run(SCRIPT + "add table inet other");
    assertThat(nft.table("peas")).contains(new Nftables.Table("peas", "mine"));
    nft.deleteTable("peas");
    nft.deleteTable("peas");
    assertThat(nft.tables()).containsExactly(new Nftables.Table("other", ""));
    assertThat(nft.elements("peas", "ports")).isEmpty();
  }

  @Test
  void missingTableIsAnErrorAndSoIsABadScript() {
    assertThatThrownBy(
            () -> nft.addElements("none", Map.of("m", List.of(element(6, 1, "10.0.0.1", 1, "")))))
        .asInstanceOf(type(KernelException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    assertThatThrownBy(() -> run("add rubbish"))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("syntax error");
  }

  private void run(String script) {
    NftScript.run(List.of("nsenter", "--net=" + namespace.path()), script);
  }

  private static MapElement element(
      int protocol, int port, String target, int targetPort, String comment) {
    return new MapElement(
        new Concatenation().protocol(protocol).port(port).toBytes(),
        new Concatenation().address(InetAddress.ofLiteral(target)).port(targetPort).toBytes(),
        comment);
  }
}
