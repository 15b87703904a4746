package dev.peapod.pods.supervisor;

import dev.peapod.dns.ResolvConf;
import dev.peapod.error.PeapodException;
import dev.peapod.pods.service.ClusterDns;
import dev.peapod.proto.runtime.v1.DNSConfig;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodDNSConfig;
import io.fabric8.kubernetes.api.model.PodDNSConfigOption;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// Whom a pod asks for names, and what it is called itself, as kubelets have it.
final class PodDns {
  private static final int MOST_SERVERS = 3;
  private static final int MOST_SEARCHES = 32;
  private static final int LONGEST_SEARCHES = 2048;
  private static final int LONGEST_HOSTNAME = 63;
  private static final int LONGEST_NODE_NAME = 64;

  /// A pod's `resolv.conf`, and what somebody should know of it.
  record Config(DNSConfig config, List<Problem> problems) {}

  /// What a pod did not get, with the reason of its event.
  record Problem(String reason, String message) {}

  private PodDns() {}

  /// @param host whom the machine asks
  static Config of(Pod pod, ClusterDns cluster, ResolvConf host) {
    PodSpec spec = pod.getSpec();
    List<Problem> problems = new ArrayList<>();
    List<String> servers = new ArrayList<>();
    List<String> searches = new ArrayList<>();
    List<String> options = new ArrayList<>();
    Optional<String> server = server(spec, cluster, problems);
    if (server.isPresent()) {
      servers.add(server.get());
      String domain = cluster.domain();
      searches.add(pod.getMetadata().getNamespace() + ".svc." + domain);
      searches.add("svc." + domain);
      searches.add(domain);
      searches.addAll(host.searches());
      options.add("ndots:5");
    } else if (!"None".equals(spec.getDnsPolicy())) {
      servers.addAll(host.servers());
      searches.addAll(host.searches());
      options.addAll(host.options());
    }
    PodDNSConfig more = spec.getDnsConfig();
    if (more != null) {
      servers.addAll(more.getNameservers());
      searches.addAll(more.getSearches());
      more.getOptions().forEach(option -> merge(options, option));
    }
    return new Config(
        DNSConfig.newBuilder()
            .addAllServers(servers(servers, problems))
            .addAllSearches(searches(searches, problems))
            .addAllOptions(options)
            .build(),
        problems);
  }

  /// The cluster's server, if the pod is to ask it.
  private static Optional<String> server(
      PodSpec spec, ClusterDns cluster, List<Problem> problems) {
    boolean wanted =
        switch (spec.getDnsPolicy()) {
          case "ClusterFirst" -> !SandboxConfigs.isTrue(spec.getHostNetwork());
          case "ClusterFirstWithHostNet" -> true;
          default -> false;
        };
    if (!wanted) {
      return Optional.empty();
    }
    return switch (cluster.server()) {
      case ClusterDns.Server.At(String address) -> Optional.of(address);
      case ClusterDns.Server.None() -> Optional.empty();
      case ClusterDns.Server.Missing(String why) -> {
        problems.add(
            new Problem(
                "MissingClusterDNS", why + ". Falling back to \"Default\" policy."));
        yield Optional.empty();
      }
    };
  }

  private static void merge(List<String> options, PodDNSConfigOption option) {
    String name = option.getName();
    String value = option.getValue();
    options.removeIf(o -> o.equals(name) || o.startsWith(name + ":"));
    options.add(value == null ? name : name + ":" + value);
  }

  private static List<String> servers(List<String> all, List<Problem> problems) {
    List<String> distinct = List.copyOf(new LinkedHashSet<>(all));
    if (distinct.size() <= MOST_SERVERS) {
      return distinct;
    }
    List<String> applied = distinct.subList(0, MOST_SERVERS);
    problems.add(
        new Problem(
            "DNSConfigForming",
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied"
                + " nameserver line is: "
                + String.join(" ", applied)));
    return applied;
  }

  private static List<String> searches(List<String> all, List<Problem> problems) {
    List<String> distinct = List.copyOf(new LinkedHashSet<>(all));
    List<String> applied = new ArrayList<>();
    int length = -1;
    for (String search : distinct) {
      length += 1 + search.length();
      if (applied.size() == MOST_SEARCHES || length > LONGEST_SEARCHES) {
        problems.add(
            new Problem(
                "DNSConfigForming",
                "Search Line limits were exceeded, some search paths have been omitted, the"
                    + " applied search line is: "
                    + String.join(" ", applied)));
        return applied;
      }
      applied.add(search);
    }
    return applied;
  }

  /// The pod's own name: at most 63 characters, as kubelet cuts it.
  static String hostname(Pod pod) {
    String hostname = pod.getSpec().getHostname();
    if (hostname != null && !hostname.isEmpty()) {
      return hostname;
    }
    String name = pod.getMetadata().getName();
    if (name.length() > LONGEST_HOSTNAME) {
      name = name.substring(0, LONGEST_HOSTNAME);
      while (name.endsWith("-") || name.endsWith(".")) {
        name = name.substring(0, name.length() - 1);
      }
    }
    return name;
  }

  /// The name with the domain that its subdomain gives it; none without one.
  static Optional<String> fullName(Pod pod, String domain) {
    String subdomain = pod.getSpec().getSubdomain();
    return subdomain == null || subdomain.isEmpty()
        ? Optional.empty()
        : Optional.of(
            hostname(pod)
                + "."
                + subdomain
                + "."
                + pod.getMetadata().getNamespace()
                + ".svc."
                + domain);
  }

  /// What `hostname` says in the pod.
  ///
  /// @throws PeapodException INVALID if it is to be a full name that is too long for the kernel
  static String nodeName(Pod pod, String domain) {
    Optional<String> full =
        fullName(pod, domain)
            .filter(name -> SandboxConfigs.isTrue(pod.getSpec().getSetHostnameAsFQDN()));
    if (full.isPresent() && full.get().length() > LONGEST_NODE_NAME) {
      throw PeapodException.invalid(
          "failed to construct FQDN from pod hostname and cluster domain, FQDN "
              + full.get()
              + " is too long ("
              + LONGEST_NODE_NAME
              + " characters is the max, "
              + full.get().length()
              + " characters requested)");
    }
    return full.orElseGet(() -> hostname(pod));
  }
}
