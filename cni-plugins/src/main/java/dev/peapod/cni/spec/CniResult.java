package dev.peapod.cni.spec;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// What an ADD has made, in the words of the CNI specification.
///
/// @param interfaces the links, of the host and of the pod
/// @param ips the addresses
/// @param routes the routes inside the pod
/// @param dns what the plugins say about name resolution, as they said it
public record CniResult(
    List<Interface> interfaces, List<Ip> ips, List<Route> routes, Optional<ObjectNode> dns) {
  /// Nothing was made.
  public static final CniResult EMPTY =
      new CniResult(List.of(), List.of(), List.of(), Optional.empty());

  /// A link.
  ///
  /// @param mac its hardware address, or `""`
  /// @param sandbox the path of the pod's network namespace; empty for a link of the host
  public record Interface(String name, String mac, Optional<String> sandbox) {}

  /// An address.
  ///
  /// @param address the address with its network's prefix length
  /// @param gateway the network's gateway
  /// @param link which of the interfaces has it, counted from 0
  public record Ip(IpPrefix address, Optional<InetAddress> gateway, OptionalInt link) {}

  /// A route.
  ///
  /// @param gateway the next hop; empty for the gateway of the address
  public record Route(IpPrefix destination, Optional<InetAddress> gateway) {}

  public CniResult {
    interfaces = List.copyOf(interfaces);
    ips = List.copyOf(ips);
    routes = List.copyOf(routes);
  }

  /// The same with other interfaces.
  public CniResult withInterfaces(List<Interface> value) {
    return new CniResult(value, ips, routes, dns);
  }

  /// The first address of family IPv4, if there is one.
  public Optional<Inet4Address> firstIpv4() {
    return ips.stream()
        .map(ip -> ip.address().address())
        .filter(Inet4Address.class::isInstance)
        .map(Inet4Address.class::cast)
        .findFirst();
  }

  /// Reads a result of any of the supported versions; keys that are not known are passed over, as
  /// they may be newer.
  ///
  /// @throws PeapodException INVALID naming the key that is wrong
  public static CniResult read(Keys keys) {
    List<Interface> interfaces =
        keys.objects("interfaces").stream()
            .map(
                link ->
                    new Interface(
                        link.text("name"),
                        link.optionalText("mac").orElse(""),
                        link.optionalText("sandbox").filter(path -> !path.isEmpty())))
            .toList();
    List<Ip> ips =
        keys.objects("ips").stream()
            .map(
                ip -> {
                  int link = ip.number("interface", -1);
                  return new Ip(
                      ip.prefix("address"),
                      ip.address("gateway"),
                      link < 0 ? OptionalInt.empty() : OptionalInt.of(link));
                })
            .toList();
    List<Route> routes =
        keys.objects("routes").stream()
            .map(route -> new Route(route.prefix("dst"), route.address("gw")))
            .toList();
    return new CniResult(interfaces, ips, routes, keys.object("dns").map(Keys::node));
  }

  /// Writes the result as the given version of CNI has it.
  public ObjectNode write(String cniVersion) {
    ObjectNode node = Json.object().put("cniVersion", cniVersion);
    ArrayNode links = node.putArray("interfaces");
    for (Interface link : interfaces) {
      ObjectNode to = links.addObject().put("name", link.name());
      if (!link.mac().isEmpty()) {
        to.put("mac", link.mac());
      }
      link.sandbox().ifPresent(path -> to.put("sandbox", path));
    }
    ArrayNode addresses = node.putArray("ips");
    for (Ip ip : ips) {
      ObjectNode to = addresses.addObject();
      if (cniVersion.startsWith("0.")) {
        to.put("version", ip.address().address() instanceof Inet4Address ? "4" : "6");
      }
      ip.link().ifPresent(link -> to.put("interface", link));
      to.put("address", ip.address().toString());
      ip.gateway().ifPresent(gateway -> to.put("gateway", gateway.getHostAddress()));
    }
    ArrayNode ways = node.putArray("routes");
    for (Route route : routes) {
      ObjectNode to = ways.addObject().put("dst", route.destination().toString());
      route.gateway().ifPresent(gateway -> to.put("gw", gateway.getHostAddress()));
    }
    dns.ifPresent(value -> node.set("dns", value));
    return node;
  }
}
