package dev.peapod.cni.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeasesTest {
  @TempDir Path directory;

  @Test
  void goesOnAfterTheLastAddressAndComesRound() {
    Leases leases = new Leases(directory);
    Leases.Range range = range("10.0.0.1", "10.0.0.4");
    assertThat(take(leases, range, "a")).isEqualTo("10.0.0.2");
    leases.free("net", InetAddress.ofLiteral("10.0.0.2"), "a");
    assertThat(take(leases, range, "b")).isEqualTo("10.0.0.3");
    assertThat(take(new Leases(directory), range, "c")).isEqualTo("10.0.0.4");
    assertThat(take(leases, range, "d")).isEqualTo("10.0.0.2");
  }

  @Test
  void tellsWhenTheRangeIsFull() {
    Leases leases = new Leases(directory);
    Leases.Range range = range("10.0.0.1", "10.0.0.3");
    take(leases, range, "a");
    take(leases, range, "b");
    assertThatThrownBy(() -> take(leases, range, "c"))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("10.0.0.1-10.0.0.3");
    leases.freeAll("net", "a");
    assertThat(take(leases, range, "c")).isEqualTo("10.0.0.2");
  }

  @Test
  void onlyTheOwnerFrees() {
    Leases leases = new Leases(directory);
    take(leases, range("10.0.0.1", "10.0.0.9"), "a");
    InetAddress address = InetAddress.ofLiteral("10.0.0.2");
    leases.free("net", address, "b");
    leases.freeAll("net", "b");
    assertThat(leases.has("net", address, "a")).isTrue();
    assertThat(leases.list()).containsExactly(new Leases.Lease("net", address, "a"));
    leases.removeIfEmpty();
    assertThat(leases.list()).hasSize(1);
    leases.free("net", address, "a");
    leases.free("net", address, "a");
    leases.removeIfEmpty();
    assertThat(directory).doesNotExist();
  }

  @Test
  void ignoresFilesThatAreNotLeases() throws Exception {
    Leases leases = new Leases(directory);
    Files.createDirectory(directory.resolve("net"));
    Files.writeString(directory.resolve("net/.last"), "rubbish");
    Files.writeString(directory.resolve("net/10.0.0.2"), "");
    assertThat(take(leases, range("10.0.0.1", "10.0.0.9"), "a")).isEqualTo("10.0.0.3");
    assertThat(leases.list()).hasSize(1);
  }

  @Test
  void leasesIpv6Addresses() {
    Leases leases = new Leases(directory);
    Leases.Range range =
        new Leases.Range(
            IpPrefix.parse("fd00::/64"),
            InetAddress.ofLiteral("fd00::1"),
            InetAddress.ofLiteral("fd00::ffff:ffff:ffff:ffff"),
            InetAddress.ofLiteral("fd00::1"));
    assertThat(take(leases, range, "a")).isEqualTo("fd00:0:0:0:0:0:0:2");
    assertThat(leases.list().getFirst().address()).isEqualTo(InetAddress.ofLiteral("fd00::2"));
  }

  @Test
  void twoNeverGetTheSame() throws Exception {
    Leases.Range range = range("10.0.0.1", "10.0.0.250");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<String>> takes = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String owner = "o" + i;
        takes.add(() -> take(new Leases(directory), range, owner));
      }
      List<String> taken = new ArrayList<>();
      for (Future<String> future : threads.invokeAll(takes)) {
        taken.add(future.get());
      }
      assertThat(taken).hasSize(200).doesNotHaveDuplicates().doesNotContain("10.0.0.1");
    }
  }

  private static String take(Leases leases, Leases.Range range, String owner) {
    return leases.take("net", range, owner).getHostAddress();
  }

  private static Leases.Range range(String first, String last) {
    return new Leases.Range(
        IpPrefix.parse("10.0.0.0/24"),
        InetAddress.ofLiteral(first),
        InetAddress.ofLiteral(last),
        InetAddress.ofLiteral("10.0.0.1"));
  }
}
