package dev.peapod.engine.model;

import java.util.List;

/// What stands in a pod's `resolv.conf`; all empty means: what the host's says.
public record DnsSpec(List<String> servers, List<String> searches, List<String> options) {
  /// As the host.
  public static final DnsSpec OF_HOST = new DnsSpec(List.of(), List.of(), List.of());

  public DnsSpec {
    servers = List.copyOf(servers);
    searches = List.copyOf(searches);
    options = List.copyOf(options);
  }

  /// Whether nothing is asked for.
  public boolean isEmpty() {
    return servers.isEmpty() && searches.isEmpty() && options.isEmpty();
  }
}
