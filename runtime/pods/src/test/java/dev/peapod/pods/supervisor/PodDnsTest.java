package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.peapod.dns.ResolvConf;
import dev.peapod.pods.service.ClusterDns;
import dev.peapod.proto.runtime.v1.DNSConfig;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodDNSConfigOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Whom pods ask, what they are called, and that a restart of the daemon takes no name from them.
@Timeout(120)
class PodDnsTest extends FleetCase {
  private static final ResolvConf HOST =
      new ResolvConf(List.of("192.0.2.1"), List.of("example.com"), List.of("edns0"));

  private record Cluster(Server server) implements ClusterDns {
    @Override
    public String domain() {
      return "cluster.local";
    }
  }

  private static final ClusterDns THERE = new Cluster(new ClusterDns.Server.At("10.88.0.1"));

  private static PodBuilder pod(String policy) {
    return new PodBuilder()
        .withNewMetadata()
        .withName("web")
        .withNamespace("shop")
        .endMetadata()
        .withNewSpec()
        .withDnsPolicy(policy)
        .endSpec();
  }

  private static DNSConfig dns(Pod pod, ClusterDns cluster) {
    return PodDns.of(pod, cluster, HOST).config();
  }

  @Test
  void thePolicySaysWhomPodsAsk() {
    DNSConfig cluster = dns(pod("ClusterFirst").build(), THERE);
    assertThat(cluster.getServersList()).containsExactly("10.88.0.1");
    assertThat(cluster.getSearchesList())
        .containsExactly(
            "shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com");
    assertThat(cluster.getOptionsList()).containsExactly("ndots:5");
    DNSConfig host = dns(pod("Default").build(), THERE);
    assertThat(host.getServersList()).containsExactly("192.0.2.1");
    assertThat(host.getSearchesList()).containsExactly("example.com");
    assertThat(host.getOptionsList()).containsExactly("edns0");
    Pod onHost = pod("ClusterFirst").editSpec().withHostNetwork(true).endSpec().build();
    assertThat(dns(onHost, THERE)).isEqualTo(host);
    Pod withHost =
        pod("ClusterFirstWithHostNet").editSpec().withHostNetwork(true).endSpec().build();
    assertThat(dns(withHost, THERE)).isEqualTo(cluster);
    assertThat(dns(pod("ClusterFirst").build(), ClusterDns.NONE)).isEqualTo(host);
    assertThat(dns(pod("None").build(), THERE)).isEqualTo(DNSConfig.getDefaultInstance());
  }

  @Test
  void aServerThatIsMissingIsToldOf() {
    ClusterDns missing = new Cluster(new ClusterDns.Server.Missing("the port is taken"));
    PodDns.Config config = PodDns.of(pod("ClusterFirst").build(), missing, HOST);
    assertThat(config.config().getServersList()).containsExactly("192.0.2.1");
    assertThat(config.problems())
        .containsExactly(
            new PodDns.Problem(
                "MissingClusterDNS",
                "the port is taken. Falling back to \"Default\" policy."));
    assertThat(PodDns.of(pod("Default").build(), missing, HOST).problems()).isEmpty();
  }

  @Test
  void whatAPodAddsIsMergedWithinTheLimits() {
    List<String> searches = IntStream.range(0, 32).mapToObj(i -> "s" + i + ".example").toList();
    Pod pod =
        pod("ClusterFirst")
            .editSpec()
            .withNewDnsConfig()
            .withNameservers("10.88.0.1", "192.0.2.7", "192.0.2.8", "192.0.2.9")
            .withSearches(searches)
            .withOptions(
                new PodDNSConfigOption("ndots", "2"), new PodDNSConfigOption("edns0", null))
            .endDnsConfig()
            .endSpec()
            .build();
    PodDns.Config config = PodDns.of(pod, THERE, HOST);
    assertThat(config.config().getServersList())
        .containsExactly("10.88.0.1", "192.0.2.7", "192.0.2.8");
    assertThat(config.config().getSearchesList()).hasSize(32).endsWith("s27.example");
    assertThat(config.config().getOptionsList()).containsExactly("ndots:2", "edns0");
    assertThat(config.problems())
        .extracting(PodDns.Problem::reason)
        .containsExactly("DNSConfigForming", "DNSConfigForming");
  }

  @Test
  void aSubdomainMakesANameWhole() {
    Pod pod = pod("Default").editSpec().withHostname("one").withSubdomain("all").endSpec().build();
    assertThat(PodDns.fullName(pod, "cluster.local")).hasValue("one.all.shop.svc.cluster.local");
    assertThat(PodDns.nodeName(pod, "cluster.local")).isEqualTo("one");
    pod.getSpec().setSetHostnameAsFQDN(true);
    assertThat(PodDns.nodeName(pod, "cluster.local")).isEqualTo("one.all.shop.svc.cluster.local");
    pod.getSpec().setSubdomain("a".repeat(60));
    assertThatThrownBy(() -> PodDns.nodeName(pod, "cluster.local"))
        .hasMessageContaining("is too long (64 characters is the max");
    assertThat(PodDns.fullName(pod("Default").build(), "cluster.local")).isEmpty();
  }

  @Test
  void whoWasReadyIsReadyForTheNextDaemonToo() throws Exception {
    apply(
        manifest(
            "web",
            "Always",
            "{name: a, image: 'img:1', readinessProbe: {exec: {command: [check]}, periodSeconds:"
                + " 1}}"));
    await().until(() -> summary(WEB).getReadyContainers() == 1);
    fleet.close();
    CountDownLatch never = new CountDownLatch(1);
    runtime.exec =
        request -> {
          try {
            never.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return 1;
        };
    startFleet();
    await().until(() -> fleet.isSettled(WEB));
    assertThat(summary(WEB).getReadyContainers()).isEqualTo(1);
    never.countDown();
    await().until(() -> summary(WEB).getReadyContainers() == 0);
  }
}
