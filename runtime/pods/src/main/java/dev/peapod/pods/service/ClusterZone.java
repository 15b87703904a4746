package dev.peapod.pods.service;

import dev.peapod.dns.Answer;
import dev.peapod.dns.DnsRecord;
import dev.peapod.dns.Name;
import dev.peapod.dns.Types;
import dev.peapod.dns.Zone;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import dev.peapod.pods.object.ObjectStore;
import dev.peapod.pods.service.Endpoints.Endpoint;
import dev.peapod.pods.supervisor.PodBoard;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// The names of services and pods, as Kubernetes' "DNS-Based Service Discovery" has them. It keeps nothing: what
/// documents and pods say at the moment is what it answers. Thread-safe.
public final class ClusterZone implements Zone {
  private static final int SECONDS = 5;
  private static final String SCHEMA = "1.1.0";
  private static final Name REVERSE = Name.of("in-addr.arpa");
  private static final int WEIGHT = 100;

  private final Name apex;
  private final Name services;
  private final Name podNames;
  private final ObjectStore objects;
  private final PodBoard board;

  /// @param domain such as `cluster.local`
  public ClusterZone(String domain, ObjectStore objects, PodBoard board) {
    this.apex = Name.of(domain);
    this.services = apex.below("svc");
    this.podNames = apex.below("pod");
    this.objects = objects;
    this.board = board;
  }

  @Override
  public Name apex() {
    return apex;
  }

  @Override
  public int seconds() {
    return SECONDS;
  }

  /// Whether a pod has an address.
  public boolean isPod(InetAddress address) {
    return pod(address.getHostAddress()).isPresent();
  }

  @Override
  public Optional<Answer> find(Name name, int type) {
    if (name.isWithin(REVERSE)) {
      return reverse(name, type);
    }
    if (!name.isWithin(apex)) {
      return Optional.empty();
    }
    if (name.isWithin(services)) {
      return Optional.of(service(name, name.before(services), type));
    }
    if (name.isWithin(podNames)) {
      return Optional.of(pod(name, name.before(podNames), type));
    }
    return Optional.of(
        name.equals(apex)
            ? all(type, List.of(new DnsRecord.Authority(apex, SECONDS)))
            : name.equals(apex.below("dns-version"))
                ? all(type, List.of(new DnsRecord.Text(name, SCHEMA)))
                : Answer.NO_NAME);
  }

  // --- services

  private Answer service(Name name, List<String> labels, int type) {
    int count = labels.size();
    if (count == 0) {
      return Answer.NO_DATA;
    }
    String namespace = labels.get(count - 1);
    if (count == 1) {
      boolean some =
          objects.list().stream()
              .filter(Service.class::isInstance)
              .anyMatch(service -> namespace.equals(service.getMetadata().getNamespace()));
      return some || hasPods(namespace) ? Answer.NO_DATA : Answer.NO_NAME;
    }
    Optional<Service> found =
        objects
            .get(new ObjectKey(ObjectKind.SERVICE, namespace, labels.get(count - 2)))
            .map(Service.class::cast);
    return found
        .map(
            service ->
                switch (count) {
                  case 2 -> whole(name, service, type);
                  case 3 -> part(name, service, labels.getFirst(), type);
                  case 4 -> port(name, service, labels.get(0), labels.get(1), type);
                  default -> Answer.NO_NAME;
                })
        .orElse(Answer.NO_NAME);
  }

  private Answer whole(Name name, Service service, int type) {
    if (Endpoints.isExternal(service)) {
      Name target = Name.of(service.getSpec().getExternalName());
      return Answer.of(List.of(new DnsRecord.Alias(name, target)));
    }
    List<Endpoint> ready = ready(service);
    if (type == Types.SRV) {
      return servers(name, service, service.getSpec().getPorts(), ready);
    }
    List<DnsRecord> addresses = new ArrayList<>();
    ready.forEach(endpoint -> addresses.addAll(addresses(name, endpoint)));
    // There is nothing else that would share the work out.
    Collections.shuffle(addresses);
    return all(type, addresses);
  }

  /// A pod below its service's name, or what ports are below.
  private Answer part(Name name, Service service, String label, int type) {
    if (label.startsWith("_")) {
      boolean some =
          ports(service).anyMatch(port -> label.equals("_" + lower(port.getProtocol())));
      return some ? Answer.NO_DATA : Answer.NO_NAME;
    }
    List<DnsRecord> addresses =
        ready(service).stream()
            .filter(endpoint -> label.equals(label(service, endpoint)))
            .flatMap(endpoint -> addresses(name, endpoint).stream())
            .toList();
    return addresses.isEmpty() ? Answer.NO_NAME : all(type, addresses);
  }

  private Answer port(Name name, Service service, String port, String protocol, int type) {
    List<ServicePort> named =
        ports(service)
            .filter(p -> port.equals("_" + p.getName()))
            .filter(p -> protocol.equals("_" + lower(p.getProtocol())))
            .toList();
    if (named.isEmpty()) {
      return Answer.NO_NAME;
    }
    return type == Types.SRV || type == Types.ANY
        ? servers(name, service, named, ready(service))
        : Answer.NO_DATA;
  }

  private static Stream<ServicePort> ports(Service service) {
    return Endpoints.isExternal(service)
        ? Stream.of()
        : service.getSpec().getPorts().stream().filter(port -> port.getName() != null);
  }

  private Answer servers(
      Name name, Service service, List<ServicePort> ports, List<Endpoint> ready) {
    List<DnsRecord> records = new ArrayList<>();
    List<DnsRecord> additional = new ArrayList<>();
    Name own = name(service);
    for (Endpoint endpoint : ready) {
      Name target = own.below(label(service, endpoint));
      int before = records.size();
      for (ServicePort port : ports) {
        OptionalInt number = endpoint.port(port);
        if (number.isPresent()) {
          records.add(new DnsRecord.Server(name, 0, WEIGHT, number.getAsInt(), target));
        }
      }
      if (records.size() > before) {
        additional.addAll(addresses(target, endpoint));
      }
    }
    return new Answer(true, records, additional);
  }

  private Name name(Service service) {
    return services.below(
        service.getMetadata().getName(), service.getMetadata().getNamespace());
  }

  /// What a pod is called below its service's name.
  private static String label(Service service, Endpoint endpoint) {
    return endpoint.hostname(service).orElseGet(() -> dashed(endpoint.addresses().getFirst()));
  }

  private List<Endpoint> ready(Service service) {
    return Endpoints.of(service, pods().toList()).stream().filter(Endpoint::ready).toList();
  }

  private static List<DnsRecord> addresses(Name name, Endpoint endpoint) {
    return endpoint.addresses().stream()
        .<DnsRecord>map(text -> new DnsRecord.Address(name, InetAddress.ofLiteral(text)))
        .toList();
  }

  // --- pods

  private Answer pod(Name name, List<String> labels, int type) {
    if (labels.isEmpty()) {
      return Answer.NO_DATA;
    }
    String namespace = labels.getLast();
    if (labels.size() == 1) {
      return hasPods(namespace) ? Answer.NO_DATA : Answer.NO_NAME;
    }
    if (labels.size() > 2) {
      return Answer.NO_NAME;
    }
    return pods()
        .filter(pod -> namespace.equals(pod.getMetadata().getNamespace()))
        .flatMap(pod -> Endpoints.addresses(pod).stream())
        .filter(ip -> dashed(ip).equals(labels.getFirst()))
        .findFirst()
        .map(ip -> all(type, List.of(new DnsRecord.Address(name, InetAddress.ofLiteral(ip)))))
        .orElse(Answer.NO_NAME);
  }

  /// The name of an address; of others' addresses others know the name.
  private Optional<Answer> reverse(Name name, int type) {
    List<String> labels = name.before(REVERSE);
    if (labels.size() != 4) {
      return Optional.empty();
    }
    String ip = String.join(".", labels.reversed());
    return pod(ip).map(pod -> all(type, pointers(name, pod, ip)));
  }

  private List<DnsRecord> pointers(Name name, Pod pod, String ip) {
    List<DnsRecord> found = new ArrayList<>();
    List<Pod> one = List.of(pod);
    objects.list().stream()
        .filter(Service.class::isInstance)
        .map(Service.class::cast)
        .forEach(
            service ->
                Endpoints.of(service, one).stream()
                    .filter(Endpoint::ready)
                    .map(endpoint -> name(service).below(label(service, endpoint)))
                    .forEach(target -> found.add(new DnsRecord.Pointer(name, target))));
    if (found.isEmpty()) {
      Name target = podNames.below(dashed(ip), pod.getMetadata().getNamespace());
      found.add(new DnsRecord.Pointer(name, target));
    }
    return found;
  }

  /// The pod of an address. Those on the machine's network have its address, so it is nobody's.
  private Optional<Pod> pod(String ip) {
    return pods()
        .filter(pod -> !Boolean.TRUE.equals(pod.getSpec().getHostNetwork()))
        .filter(pod -> Endpoints.addresses(pod).contains(ip))
        .findFirst();
  }

  private Stream<Pod> pods() {
    return board.list().entries().stream().map(PodBoard.Entry::pod);
  }

  private boolean hasPods(String namespace) {
    return pods().anyMatch(pod -> namespace.equals(pod.getMetadata().getNamespace()));
  }

  /// An address as a label: `10-88-0-5`.
  private static String dashed(String ip) {
    return ip.replace('.', '-').replace(':', '-');
  }

  private static String lower(String protocol) {
    return protocol.toLowerCase(Locale.ROOT);
  }

  /// Those of the type that was asked for.
  private static Answer all(int type, List<DnsRecord> records) {
    return Answer.of(
        records.stream()
            .filter(record -> type == Types.ANY || record.type() == type)
            .toList());
  }
}
