package dev.peapod.cni.host;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import dev.peapod.linux.netlink.Link;
import dev.peapod.linux.netlink.LinkSettings;
import dev.peapod.linux.netlink.MacAddress;
import dev.peapod.linux.netlink.Route;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// The bridges that pods are ports of. Those that are made here are noted first, so that they alone
/// are removed in the end; one that exists already is used as it is. Thread-safe.
public final class Bridges {
  private static final String RECORD = "bridge-";

  private final Host host;
  private final Path records;
  private final ReentrantLock lock = new ReentrantLock();
  private final Set<Ready> ready = ConcurrentHashMap.newKeySet();

  /// @param records a directory for notes on which bridges are ours; made when needed
  public Bridges(Host host, Path records) {
    this.host = host;
    this.records = records;
  }

  private record Ready(int index, IpPrefix gateway) {}

  /// Makes the bridge if it is missing, and gives it the gateway's address.
  ///
  /// @param gateway the address with its prefix length, if the bridge is to be the pods' gateway
  /// @param mtu in bytes, or 0 for the kernel's own choice
  /// @throws PeapodException FAILED_PRECONDITION if the name is taken by something else, or the
  ///     range by another network of the host
  public Link ensure(String name, Optional<IpPrefix> gateway, int mtu) {
    Optional<Link> found = host.route().links().find(name);
    if (found.isPresent() && found.get().up() && isReady(found.get(), gateway)) {
      return found.get();
    }
    lock.lock();
    try {
      Link bridge =
          host.route().links().find(name).orElseGet(() -> make(name, gateway, mtu));
      if (!bridge.kind().equals(Optional.of("bridge"))) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "interface " + name + " exists and is not a bridge; give the pods' network another");
      }
      if (gateway.isPresent()) {
        if (!host.route().addresses().of(bridge.index()).contains(gateway.get())) {
          host.route().addresses().add(bridge.index(), gateway.get());
        }
        ready.add(new Ready(bridge.index(), gateway.get()));
      }
      if (!bridge.up()) {
        host.route().links().change(name, LinkSettings.NONE.withUp(true));
      }
      return bridge;
    } finally {
      lock.unlock();
    }
  }

  /// Deletes the bridges that were made here. One with ports that are not ours stays.
  public void remove() {
    lock.lock();
    try {
      for (String name : ours()) {
        Optional<Link> bridge = host.route().links().find(name);
        boolean used =
            bridge.isPresent()
                && host.route().links().list().stream()
                    .filter(link -> link.master().orElse(0) == bridge.get().index())
                    .anyMatch(link -> !PodLinks.isOurs(link.name()));
        if (!used) {
          host.route().links().delete(name);
          Files.deleteIfExists(records.resolve(RECORD + name));
        }
      }
      ready.clear();
    } catch (IOException e) {
      throw PeapodException.internal("the note on a bridge can not be removed", e);
    } finally {
      lock.unlock();
    }
  }

  /// A hardware address that follows from an IPv4 address, so that neighbours' caches stay true
  /// when the address changes hands.
  public static MacAddress macOf(Inet4Address address) {
    return new MacAddress(0x0a58_0000_0000L | IpPrefix.number(address).longValue());
  }

  private boolean isReady(Link bridge, Optional<IpPrefix> gateway) {
    return gateway.map(address -> ready.contains(new Ready(bridge.index(), address))).orElse(true);
  }

  private Link make(String name, Optional<IpPrefix> gateway, int mtu) {
    gateway.ifPresent(this::refuseOverlap);
    note(name);
    MacAddress mac =
        gateway
            .map(IpPrefix::address)
            .filter(Inet4Address.class::isInstance)
            .map(address -> macOf((Inet4Address) address))
            .orElseGet(() -> new MacAddress(0x0a58_0000_0000L | name.hashCode() & 0xffffffffL));
    host.route().links().createBridge(name, mac);
    // A pod must not be able to give the host a route by a router advertisement (CVE-2020-10749).
    host.sysctl("ipv6/conf/" + name + "/accept_ra", "0");
    if (mtu != 0) {
      host.route().links().change(name, LinkSettings.NONE.withMtu(mtu));
    }
    return host.route().links().find(name).orElseThrow();
  }

  private void refuseOverlap(IpPrefix gateway) {
    for (Route route : host.route().routes().list()) {
      IpPrefix other = route.destination();
      InetAddress address = other.address();
      boolean overlaps =
          other.length() > 0 && (other.contains(gateway.address()) || gateway.contains(address));
      if (overlaps) {
        throw new PeapodException(
            PeapodException.Kind.FAILED_PRECONDITION,
            "the pods' range "
                + gateway.network()
                + " overlaps the host's route to "
                + other
                + "; give the pods' network another range");
      }
    }
  }

  private List<String> ours() throws IOException {
    if (!Files.isDirectory(records)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(records)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.startsWith(RECORD))
          .map(file -> file.substring(RECORD.length()))
          .toList();
    }
  }

  private void note(String name) {
    try {
      PrivateDirectories.make(records);
      Files.write(records.resolve(RECORD + name), new byte[0]);
    } catch (IOException e) {
      throw PeapodException.internal("bridge " + name + " can not be noted in " + records, e);
    }
  }
}
