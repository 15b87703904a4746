package dev.peapod.cni.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.cni.host.Leases;
import dev.peapod.cni.spec.CniResult;
import dev.peapod.cni.spec.Keys;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Plugin `host-local`, which others call for addresses: leases them from ranges of the
/// configuration's key `ipam`.
///
/// Keys: `subnet`, `rangeStart`, `rangeEnd`, `gateway` (one range), or `ranges` (a list of lists of
/// them: one address of each list), and `routes`.
public final class HostLocal implements Plugin {
  static final String TYPE = "host-local";
  private static final Set<String> RANGE_KEYS =
      Set.of("subnet", "rangeStart", "rangeEnd", "gateway");
  private static final Set<String> KEYS =
      Set.of("type", "ranges", "routes", "subnet", "rangeStart", "rangeEnd", "gateway");

  private final Leases leases;

  public HostLocal(Leases leases) {
    this.leases = leases;
  }

  @Override
  public void validate(PluginConfig config) {
    Keys ipam = ipam(config);
    ipam.allowOnly(KEYS);
    if (rangeSets(ipam).isEmpty()) {
      throw PeapodException.invalid(ipam.where() + ": key \"subnet\" or \"ranges\" is missing");
    }
    routes(ipam);
  }

  @Override
  public CniResult add(PluginCall call) {
    Keys ipam = ipam(call.config());
    List<CniResult.Ip> ips = new ArrayList<>();
    try {
      for (List<Leases.Range> set : rangeSets(ipam)) {
        ips.add(take(call, set));
      }
    } catch (PeapodException e) {
      ips.forEach(ip -> free(call, ip.address().address()));
      throw e;
    }
    return new CniResult(List.of(), ips, routes(ipam), Optional.empty());
  }

  @Override
  public void delete(PluginCall call) {
    Optional<CniResult> previous = call.previous().filter(result -> !result.ips().isEmpty());
    if (previous.isPresent()) {
      previous.get().ips().forEach(ip -> free(call, ip.address().address()));
    } else {
      leases.freeAll(call.config().network(), owner(call));
    }
  }

  @Override
  public void check(PluginCall call) {
    for (CniResult.Ip ip : call.previous().orElse(CniResult.EMPTY).ips()) {
      InetAddress address = ip.address().address();
      if (!leases.has(call.config().network(), address, owner(call))) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "the lease of address " + address.getHostAddress() + " is missing");
      }
    }
  }

  /// The sandbox that a lease belongs to, given the lease's owner.
  public static String sandboxOf(String owner) {
    int colon = owner.indexOf(':');
    return colon < 0 ? owner : owner.substring(0, colon);
  }

  private CniResult.Ip take(PluginCall call, List<Leases.Range> set) {
    Optional<PeapodException> exhausted = Optional.empty();
    for (Leases.Range range : set) {
      try {
        InetAddress address = leases.take(call.config().network(), range, owner(call));
        return new CniResult.Ip(
            new IpPrefix(address, range.subnet().length()),
            Optional.of(range.gateway()),
            OptionalInt.empty());
      } catch (PeapodException e) {
        if (e.kind() != PeapodException.Kind.RESOURCE_EXHAUSTED) {
          throw e;
        }
        exhausted = Optional.of(e);
      }
    }
    throw exhausted.orElseThrow();
  }

  private void free(PluginCall call, InetAddress address) {
    leases.free(call.config().network(), address, owner(call));
  }

  private static String owner(PluginCall call) {
    return call.sandboxId() + ":" + call.interfaceName();
  }

  private static Keys ipam(PluginConfig config) {
    return config
        .keys()
        .object("ipam")
        .orElseThrow(
            () ->
                PeapodException.invalid(config.keys().where() + ": key \"ipam\" is missing"));
  }

  private static List<CniResult.Route> routes(Keys ipam) {
    return ipam.objects("routes").stream()
        .map(route -> new CniResult.Route(route.prefix("dst"), route.address("gw")))
        .toList();
  }

  private static List<List<Leases.Range>> rangeSets(Keys ipam) {
    List<List<Leases.Range>> sets = new ArrayList<>();
    if (ipam.node().has("subnet")) {
      sets.add(List.of(range(ipam)));
    }
    int index = 0;
    for (JsonNode set : ipam.list("ranges")) {
      String where = ipam.where() + ": ranges[" + index++ + "]";
      if (!set.isArray() || set.isEmpty()) {
        throw PeapodException.invalid(where + " must be a list of ranges");
      }
      List<Leases.Range> ranges = new ArrayList<>();
      for (JsonNode range : set) {
        if (!(range instanceof ObjectNode object)) {
          throw PeapodException.invalid(where + " must be a list of objects");
        }
        Keys keys = new Keys(object, where + "[" + ranges.size() + "]");
        keys.allowOnly(RANGE_KEYS);
        ranges.add(range(keys));
      }
      sets.add(ranges);
    }
    return sets;
  }

  private static Leases.Range range(Keys keys) {
    IpPrefix subnet = keys.prefix("subnet");
    IpPrefix network = subnet.network();
    int bits = IpPrefix.bits(network.address());
    // Not the records: the first comparison of a record takes 15 ms, of the daemon's start.
    if (!subnet.address().equals(network.address())) {
      throw PeapodException.invalid(
          keys.where() + ": key \"subnet\": " + subnet + " is not a network, " + network + " is");
    }
    if (bits - network.length() < 2) {
      throw PeapodException.invalid(
          keys.where() + ": key \"subnet\": " + subnet + " is too small for a gateway and a pod");
    }
    InetAddress lowest = network.first();
    InetAddress last = network.last();
    // IPv4 keeps the last address of a network for broadcasts.
    InetAddress highest =
        last instanceof Inet4Address
            ? IpPrefix.address(IpPrefix.number(last).subtract(BigInteger.ONE), bits)
            : last;
    InetAddress from = inside(keys, "rangeStart", network).orElse(lowest);
    InetAddress to = inside(keys, "rangeEnd", network).orElse(highest);
    if (IpPrefix.number(from).compareTo(IpPrefix.number(to)) > 0) {
      throw PeapodException.invalid(keys.where() + ": rangeStart comes after rangeEnd");
    }
    return new Leases.Range(network, from, to, inside(keys, "gateway", network).orElse(lowest));
  }

  private static Optional<InetAddress> inside(Keys keys, String key, IpPrefix network) {
    Optional<InetAddress> address = keys.address(key);
    if (address.isPresent() && !network.contains(address.get())) {
      throw PeapodException.invalid(
          keys.where()
              + ": key \""
              + key
              + "\": "
              + address.get().getHostAddress()
              + " is not in "
              + network);
    }
    return address;
  }
}
