package dev.peapod.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpPrefixTest {
  @ParameterizedTest
  @CsvSource({
    "10.88.3.4/16, 10.88.0.0/16, 10.88.255.255",
    "10.231.0.9/24, 10.231.0.0/24, 10.231.0.255",
    "192.0.2.1/32, 192.0.2.1/32, 192.0.2.1",
    "203.0.113.7/0, 0.0.0.0/0, 255.255.255.255",
    "fd00::5/126, fd00:0:0:0:0:0:0:4/126, fd00:0:0:0:0:0:0:7",
  })
  void knowsItsNetworkAndLastAddress(String text, String network, String last) {
    IpPrefix prefix = IpPrefix.parse(text);
    assertThat(prefix.network()).hasToString(network);
    assertThat(prefix.last().getHostAddress()).isEqualTo(last);
  }

  @Test
  void containsItsOwnAndNoOther() {
    IpPrefix prefix = IpPrefix.parse("10.88.0.0/16");
    assertThat(prefix.contains(InetAddress.ofLiteral("10.88.200.1"))).isTrue();
    assertThat(prefix.contains(InetAddress.ofLiteral("10.89.0.1"))).isFalse();
    assertThat(prefix.contains(InetAddress.ofLiteral("fd00::1"))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "host/8", "10.0.0/-1", "/8"})
  void refusesWhatIsNoPrefix(String text) {
    assertThatThrownBy(() -> IpPrefix.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
