package dev.peapod.pods.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.dns.Answer;
import dev.peapod.dns.DnsRecord;
import dev.peapod.dns.Name;
import dev.peapod.dns.Types;
import dev.peapod.pods.manifest.Manifest;
import dev.peapod.pods.manifest.ManifestSource;
import dev.peapod.pods.manifest.Manifests;
import dev.peapod.pods.manifest.ObjectManifest;
import dev.peapod.pods.object.ObjectStore;
import dev.peapod.pods.object.ObjectTable;
import dev.peapod.pods.service.ClusterZone;
import dev.peapod.pods.service.EndpointText;
import dev.peapod.pods.service.Endpoints;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What names of services and pods are answered with.
@SuppressWarnings("NullAway.Init")
class ClusterZoneTest {
  @TempDir Path directory;

  private final PodBoard board = new PodBoard(0);
  private ObjectStore objects;
  private ClusterZone zone;

  @BeforeEach
  void make() {
    objects = new ObjectStore(directory, InstantSource.system());
    zone = new ClusterZone("cluster.local", objects, board);
  }

  private Service service(String name, String spec) {
    HasMetadata object =
        new Manifests(true)
            .read(
                List.of(
                    new ManifestSource(
                        "t",
                        ("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {%s}\n"
                                .formatted(name, spec))
                            .getBytes(StandardCharsets.UTF_8))),
                "default")
            .stream()
            .map(ClusterZoneTest::object)
            .findFirst()
            .orElseThrow();
    objects.put(object, false);
    return (Service) object;
  }

  private static HasMetadata object(Manifest manifest) {
    return ((ObjectManifest) manifest).object();
  }

  private PodBuilder pod(String name, String ip) {
    return new PodBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("default")
        .addToLabels("app", "web")
        .endMetadata()
        .withNewSpec()
        .addNewContainer()
        .withName("main")
        .addNewPort()
        .withName("http")
        .withContainerPort(8080)
        .withProtocol("TCP")
        .endPort()
        .endContainer()
        .endSpec()
        .withNewStatus()
        .withPhase("Running")
        .withPodIP(ip)
        .addNewPodIP(ip)
        .addNewCondition()
        .withType("Ready")
        .withStatus("True")
        .endCondition()
        .endStatus();
  }

  private void publish(PodBuilder pod) {
    board.publish(pod.build(), "");
  }

  private static PodBuilder unready(PodBuilder pod) {
    return pod.editStatus().editFirstCondition().withStatus("False").endCondition().endStatus();
  }

  private Answer find(String name, int type) {
    return zone.find(Name.of(name), type).orElseThrow();
  }

  private List<String> addresses(String name) {
    return find(name, Types.A).records().stream()
        .map(r -> ((DnsRecord.Address) r).address().getHostAddress())
        .sorted()
        .toList();
  }

  @Test
  void aServiceIsThePodsThatAreReady() {
    service("web", "selector: {app: web}, ports: [{port: 8080}]");
    assertThat(find("web.default.svc.cluster.local", Types.A)).isEqualTo(Answer.NO_DATA);
    publish(pod("a", "10.0.0.1"));
    publish(pod("b", "10.0.0.2"));
    publish(unready(pod("c", "10.0.0.3")));
    publish(pod("d", "10.0.0.4").editStatus().withPhase("Succeeded").endStatus());
    publish(pod("e", "10.0.0.5").editMetadata().withDeletionTimestamp("now").endMetadata());
    publish(pod("f", "10.0.0.6").editMetadata().withNamespace("other").endMetadata());
    publish(pod("g", "10.0.0.7").editMetadata().removeFromLabels("app").endMetadata());
    assertThat(addresses("web.default.svc.cluster.local")).containsExactly("10.0.0.1", "10.0.0.2");
    assertThat(find("web.default.svc.cluster.local", Types.AAAA)).isEqualTo(Answer.NO_DATA);
    publish(unready(pod("a", "10.0.0.1")));
    assertThat(addresses("web.default.svc.cluster.local")).containsExactly("10.0.0.2");
    service("web", "selector: {app: web}, publishNotReadyAddresses: true, ports: [{port: 8080}]");
    assertThat(addresses("web.default.svc.cluster.local"))
        .containsExactly("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.5");
  }

  @Test
  void namesThatAreNotThereAreToldFromThoseWithNothing() {
    service("web", "selector: {app: web}, ports: [{port: 80, name: http}]");
    for (String there :
        List.of(
            "cluster.local",
            "svc.cluster.local",
            "default.svc.cluster.local",
            "_tcp.web.default.svc.cluster.local",
            "_http._tcp.web.default.svc.cluster.local",
            "pod.cluster.local")) {
      assertThat(find(there, Types.A)).as(there).isEqualTo(Answer.NO_DATA);
    }
    for (String not :
        List.of(
            "x.cluster.local",
            "other.svc.cluster.local",
            "none.default.svc.cluster.local",
            "web.other.svc.cluster.local",
            "x.web.default.svc.cluster.local",
            "_udp.web.default.svc.cluster.local",
            "_https._tcp.web.default.svc.cluster.local",
            "a.b.c.web.default.svc.cluster.local",
            "default.pod.cluster.local",
            "10-0-0-1.default.pod.cluster.local")) {
      assertThat(find(not, Types.A)).as(not).isEqualTo(Answer.NO_NAME);
    }
    assertThat(zone.find(Name.of("example.com"), Types.A)).isEmpty();
    assertThat(zone.find(Name.of("local"), Types.A)).isEmpty();
    assertThat(find("cluster.local", Types.SOA).records()).hasSize(1);
    assertThat(find("dns-version.cluster.local", Types.TXT).records())
        .containsExactly(
            new DnsRecord.Text(Name.of("dns-version.cluster.local"), "1.1.0"));
  }

  @Test
  void podsHaveNamesBelowTheirService() {
    service("web", "clusterIP: None, selector: {app: web}");
    publish(
        pod("a", "10.0.0.1").editSpec().withHostname("one").withSubdomain("web").endSpec());
    publish(
        pod("b", "10.0.0.2").editSpec().withHostname("two").withSubdomain("other").endSpec());
    assertThat(addresses("one.web.default.svc.cluster.local")).containsExactly("10.0.0.1");
    assertThat(addresses("10-0-0-2.web.default.svc.cluster.local")).containsExactly("10.0.0.2");
    assertThat(find("two.web.default.svc.cluster.local", Types.A)).isEqualTo(Answer.NO_NAME);
    publish(
        unready(pod("a", "10.0.0.1"))
            .editSpec()
            .withHostname("one")
            .withSubdomain("web")
            .endSpec());
    assertThat(find("one.web.default.svc.cluster.local", Types.A)).isEqualTo(Answer.NO_NAME);
    assertThat(addresses("10-0-0-1.default.pod.cluster.local")).containsExactly("10.0.0.1");
  }

  @Test
  void portsAreTheTargets() {
    service(
        "web",
        "clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http},"
            + " {name: none, port: 81, targetPort: none}, {name: dns, port: 53, protocol: UDP}]");
    publish(pod("a", "10.0.0.1"));
    Name target = Name.of("10-0-0-1.web.default.svc.cluster.local");
    Name http = Name.of("_http._tcp.web.default.svc.cluster.local");
    assertThat(zone.find(http, Types.SRV).orElseThrow())
        .isEqualTo(
            new Answer(
                true,
                List.of(new DnsRecord.Server(http, 0, 100, 8080, target)),
                List.of(
                    new DnsRecord.Address(target, InetAddress.ofLiteral("10.0.0.1")))));
    assertThat(find("_none._tcp.web.default.svc.cluster.local", Types.SRV))
        .isEqualTo(Answer.NO_DATA);
    assertThat(find("_dns._udp.web.default.svc.cluster.local", Types.SRV).records())
        .hasSize(1)
        .allMatch(r -> ((DnsRecord.Server) r).port() == 53);
    assertThat(find("web.default.svc.cluster.local", Types.SRV).records()).hasSize(2);
  }

  @Test
  void aNameMayBeAnotherOne() {
    service("db", "type: ExternalName, externalName: db.example.com");
    Name name = Name.of("db.default.svc.cluster.local");
    assertThat(zone.find(name, Types.A).orElseThrow().records())
        .containsExactly(new DnsRecord.Alias(name, Name.of("db.example.com")));
  }

  @Test
  void addressesHaveNames() {
    service("web", "clusterIP: None, selector: {app: web}");
    publish(
        pod("a", "10.0.0.1").editSpec().withHostname("one").withSubdomain("web").endSpec());
    publish(unready(pod("b", "10.0.0.2")));
    Name first = Name.of("1.0.0.10.in-addr.arpa");
    assertThat(zone.find(first, Types.PTR).orElseThrow().records())
        .containsExactly(
            new DnsRecord.Pointer(first, Name.of("one.web.default.svc.cluster.local")));
    Name second = Name.of("2.0.0.10.in-addr.arpa");
    assertThat(zone.find(second, Types.PTR).orElseThrow().records())
        .containsExactly(
            new DnsRecord.Pointer(second, Name.of("10-0-0-2.default.pod.cluster.local")));
    assertThat(zone.find(Name.of("3.0.0.10.in-addr.arpa"), Types.PTR)).isEmpty();
    assertThat(zone.isPod(InetAddress.ofLiteral("10.0.0.1"))).isTrue();
    assertThat(zone.isPod(InetAddress.ofLiteral("10.0.0.3"))).isFalse();
  }

  @Test
  void servicesAreDescribedWithTheirPods() {
    Service service =
        service(
            "web",
            "clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]");
    List<Pod> pods =
        List.of(pod("a", "10.0.0.1").build(), unready(pod("b", "10.0.0.2")).build());
    StringBuilder text = new StringBuilder(ObjectTable.description(service, Instant.now()));
    EndpointText.write(text, service, Endpoints.of(service, pods));
    assertThat(text.toString())
        .contains("Selector:     app=web\n")
        .contains("IP:           None\n")
        .contains("TargetPort:   http/TCP\n")
        .contains("Endpoints:    10.0.0.1:8080  (pod a)\n")
        .contains("Not Ready:    10.0.0.2:8080  (pod b)\n");
    assertThat(ObjectTable.cells(service, Instant.now()))
        .containsExactly("ClusterIP", "None", "<none>", "80/TCP");
  }
}
