package dev.peapod.cni.plugin;

import dev.peapod.cni.HeldPort;
import dev.peapod.cni.PortHolder;
import dev.peapod.cni.PortMapping;
import dev.peapod.cni.Protocol;
import dev.peapod.cni.host.Host;
import dev.peapod.cni.host.PortRules;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.nft.Concatenation;
import dev.peapod.linux.nft.Conntrack;
import dev.peapod.linux.nft.MapElement;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Plugin `portmap`: leads ports of the host to the pod.
///
/// What arrives from outside, and what the host sends to its own addresses, is redirected by an
/// element of a map in our nftables table. A [PortHolder] also really binds each port: that finds
/// clashes with any other program, and serves 127.0.0.1 and [::1]. SCTP has the element alone.
public final class PortMap implements Plugin {
  static final String TYPE = "portmap";

  private static final System.Logger LOG = System.getLogger(PortMap.class.getName());

  /// The name of the runtime's argument, and of the capability.
  public static final String CAPABILITY = "portMappings";

  private static final Set<String> KEYS = Set.of("type", "capabilities", "snat");
  private static final InetAddress ANY_IPV4 = InetAddress.ofLiteral("0.0.0.0");
  private static final InetAddress ANY_IPV6 = InetAddress.ofLiteral("::");

  private final Host host;
  private final PortRules rules;
  private final PortHolder holder;
  private final boolean hostHasIpv6;

  public PortMap(Host host, PortRules rules, PortHolder holder) {
    this.host = host;
    this.rules = rules;
    this.holder = holder;
    this.hostHasIpv6 =
        host.sysctl("ipv6/conf/lo/disable_ipv6").map(value -> value.equals("0")).orElse(false);
  }

  @Override
  public void validate(PluginConfig config) {
    config.keys().allowOnly(KEYS);
    if (config.keys().node().has("snat") && !config.keys().flag("snat")) {
      throw PeapodException.invalid(
          config.keys().where() + ": key \"snat\": only true is supported");
    }
  }

  @Override
  public CniResult add(PluginCall call) {
    CniResult previous =
        call.previous()
            .orElseThrow(
                () ->
                    PeapodException.invalid(
                        call.config().keys().where() + " must come after a plugin with addresses"));
    if (call.portMappings().isEmpty()) {
      return previous;
    }
    CniResult.Ip ip = ipv4(previous);
    Inet4Address pod = (Inet4Address) ip.address().address();
    List<HeldPort> held = held(call.portMappings(), pod);
    if (!held.isEmpty()) {
      holder.hold(call.sandboxId(), held);
    }
    String table = table(call, previous);
    Map<String, List<MapElement>> elements = elements(call, pod);
    if (!elements.isEmpty()) {
      rules.ensure(table, ip.address().network(), Optional.empty());
      insert(call, table, elements);
    }
    return previous;
  }

  @Override
  public void delete(PluginCall call) {
    if (call.portMappings().isEmpty()) {
      return;
    }
    Optional<CniResult> previous = call.previous();
    Optional<Inet4Address> pod = previous.flatMap(CniResult::firstIpv4);
    boolean deleted = false;
    if (previous.isPresent() && pod.isPresent()) {
      deleted = deleteByKey(table(call, previous.get()), elements(call, pod.get()));
    }
    if (!deleted) {
      rules.tables().forEach(table -> deleteOf(table, call.sandboxId()));
    }
    pod.ifPresent(address -> forgetDatagrams(call, address));
    holder.release(call.sandboxId());
  }

  /// Who goes on sending datagrams to the port would for ever be led to the pod that was there.
  private void forgetDatagrams(PluginCall call, Inet4Address pod) {
    List<PortMapping> mappings =
        call.portMappings().stream().filter(m -> m.protocol() == Protocol.UDP).toList();
    if (mappings.isEmpty()) {
      return;
    }
    try (Conntrack connections = host.conntrack()) {
      for (PortMapping mapping : mappings) {
        connections.forgetAnsweredFrom(pod, Protocol.UDP.number(), mapping.containerPort());
      }
    } catch (KernelException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "clients of UDP host ports of sandbox {0} may be led to where it was: {1}",
          call.sandboxId(),
          e.getMessage());
    }
  }

  @Override
  public void check(PluginCall call) {
    Optional<Inet4Address> pod = call.previous().flatMap(CniResult::firstIpv4);
    if (call.portMappings().isEmpty() || pod.isEmpty()) {
      return;
    }
    String table = table(call, call.previous().orElseThrow());
    elements(call, pod.get())
        .forEach(
            (map, wanted) -> {
              if (!host.nft().elements(table, map).containsAll(wanted)) {
                throw new PeapodException(
                    PeapodException.Kind.FAILED_PRECONDITION,
                    "host ports of the pod are missing in nftables table inet " + table);
              }
            });
  }

  /// Puts the elements of a pod that lives back into a table that was made anew; does nothing if
  /// they belong to another table.
  public void restore(PluginCall call, String table) {
    CniResult result = call.previous().orElse(CniResult.EMPTY);
    Optional<Inet4Address> pod = result.firstIpv4();
    if (pod.isPresent() && !call.portMappings().isEmpty() && table(call, result).equals(table)) {
      Map<String, List<MapElement>> elements = elements(call, pod.get());
      try {
        host.nft().addElements(table, elements);
      } catch (KernelException e) {
        if (e.errno() != Errno.EEXIST) {
          throw e;
        }
      }
    }
  }

  /// Deletes the elements of sandboxes that do not live; elements that name no sandbox stay.
  public void deleteAllBut(Set<String> liveSandboxIds) {
    for (String table : rules.tables()) {
      for (String map : List.of(PortRules.PORTS, PortRules.ADDRESS_PORTS)) {
        List<MapElement> dead =
            host.nft().elements(table, map).stream()
                .filter(e -> !e.comment().isEmpty() && !liveSandboxIds.contains(e.comment()))
                .toList();
        host.nft().deleteElements(table, Map.of(map, dead));
      }
    }
  }

  private void insert(PluginCall call, String table, Map<String, List<MapElement>> elements) {
    try {
      host.nft().addElements(table, elements);
    } catch (KernelException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
      throw clash(call, table, elements);
    }
  }

  private PeapodException clash(
      PluginCall call, String table, Map<String, List<MapElement>> elements) {
    List<String> owners = new ArrayList<>();
    elements.forEach(
        (map, wanted) ->
            host.nft().elements(table, map).stream()
                .filter(there -> wanted.stream().anyMatch(w -> sameKey(w, there)))
                .forEach(there -> owners.add(there.comment())));
    return new PeapodException(
        PeapodException.Kind.FAILED_PRECONDITION,
        "a host port of "
            + call.portMappings().stream().map(PortMapping::hostText).toList()
            + " is taken by sandbox "
            + String.join(", ", owners));
  }

  private static boolean sameKey(MapElement one, MapElement other) {
    return java.util.Arrays.equals(one.key(), other.key());
  }

  private boolean deleteByKey(String table, Map<String, List<MapElement>> elements) {
    try {
      host.nft().deleteElements(table, elements);
      return true;
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      return false;
    }
  }

  private void deleteOf(String table, String sandboxId) {
    for (String map : List.of(PortRules.PORTS, PortRules.ADDRESS_PORTS)) {
      List<MapElement> mine =
          host.nft().elements(table, map).stream()
              .filter(e -> e.comment().equals(sandboxId))
              .toList();
      host.nft().deleteElements(table, Map.of(map, mine));
    }
  }

  private List<HeldPort> held(List<PortMapping> mappings, Inet4Address pod) {
    List<HeldPort> held = new ArrayList<>();
    for (PortMapping mapping : mappings) {
      if (mapping.protocol() == Protocol.SCTP) {
        continue;
      }
      List<InetAddress> addresses;
      if (!mapping.hostIp().isEmpty()) {
        addresses = List.of(hostAddress(mapping));
      } else if (hostHasIpv6) {
        addresses = List.of(ANY_IPV4, ANY_IPV6);
      } else {
        addresses = List.of(ANY_IPV4);
      }
      for (InetAddress address : addresses) {
        held.add(
            new HeldPort(
                mapping.protocol(), address, mapping.hostPort(), pod, mapping.containerPort()));
      }
    }
    return held;
  }

  private static Map<String, List<MapElement>> elements(PluginCall call, Inet4Address pod) {
    Map<String, List<MapElement>> elements = new LinkedHashMap<>();
    for (PortMapping mapping : call.portMappings()) {
      InetAddress address = mapping.hostIp().isEmpty() ? ANY_IPV4 : hostAddress(mapping);
      if (!(address instanceof Inet4Address) || address.isLoopbackAddress()) {
        continue;
      }
      Concatenation key = new Concatenation();
      String map = PortRules.PORTS;
      if (!address.isAnyLocalAddress()) {
        key.address(address);
        map = PortRules.ADDRESS_PORTS;
      }
      key.protocol(mapping.protocol().number()).port(mapping.hostPort());
      elements
          .computeIfAbsent(map, any -> new ArrayList<>())
          .add(
              new MapElement(
                  key.toBytes(),
                  new Concatenation().address(pod).port(mapping.containerPort()).toBytes(),
                  call.sandboxId()));
    }
    return elements;
  }

  private static InetAddress hostAddress(PortMapping mapping) {
    try {
      return InetAddress.ofLiteral(mapping.hostIp());
    } catch (IllegalArgumentException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          "host port " + mapping.hostPort() + ": \"" + mapping.hostIp() + "\" is no IP address",
          e);
    }
  }

  private static CniResult.Ip ipv4(CniResult result) {
    return result.ips().stream()
        .filter(ip -> ip.address().address() instanceof Inet4Address)
        .filter(ip -> !ip.address().address().isLoopbackAddress())
        .findFirst()
        .orElseThrow(
            () ->
                new PeapodException(
                    PeapodException.Kind.FAILED_PRECONDITION,
                    "host ports need a pod with an IPv4 address"));
  }

  /// That of the bridge, which is the first link of the host in a result of plugin bridge.
  private static String table(PluginCall call, CniResult result) {
    return PortRules.table(
        result.interfaces().stream()
            .filter(link -> link.sandbox().isEmpty())
            .map(CniResult.Interface::name)
            .findFirst()
            .orElse(call.config().network()));
  }
}
