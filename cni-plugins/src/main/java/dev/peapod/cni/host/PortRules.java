package dev.peapod.cni.host;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import dev.peapod.linux.nft.Nftables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Our nftables tables, one for each bridge: static rules, and the maps that host ports are
/// elements of. Also IPv4 forwarding, which is on as long as there is such a table. Thread-safe.
///
/// A table's comment says what it was made for and what forwarding was before the first table of
/// any daemon: the record dies with what it is about. No other table is ever touched. There is no
/// forward chain: accepting there would not overrule a drop elsewhere.
public final class PortRules {
  /// The map from `inet_proto . inet_service` to a pod's address and port, for every address of the
  /// host.
  public static final String PORTS = "ports4";

  /// The map from `ipv4_addr . inet_proto . inet_service` to a pod's address and port, for one
  /// address of the host.
  public static final String ADDRESS_PORTS = "address_ports4";

  private static final System.Logger LOG = System.getLogger(PortRules.class.getName());
  private static final String PREFIX = "peapod-";
  private static final String FORWARDING = "ipv4/ip_forward";
  private static final String RECORD = "table-";
  private static final int TABLE_FORMAT = 1;

  /// 127.0.0.0/8 stays with the holders: to redirect it, the kernel would have to route it
  /// (`route_localnet`), and then pods could reach what listens there.
  private static final String SCRIPT =
      """
      add table inet %1$s { comment "%3$s"; }
      add map inet %1$s ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
      add map inet %1$s address_ports4 {
        type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;
      }
      add chain inet %1$s ports
      add rule inet %1$s ports ip daddr 127.0.0.0/8 return
      add rule inet %1$s ports ip saddr 127.0.0.0/8 return
      add rule inet %1$s ports dnat ip to ip daddr . meta l4proto . th dport map @address_ports4
      add rule inet %1$s ports dnat ip to meta l4proto . th dport map @ports4
      add chain inet %1$s prerouting { type nat hook prerouting priority dstnat; policy accept; }
      add rule inet %1$s prerouting fib daddr type local goto ports
      add chain inet %1$s output { type nat hook output priority -100; policy accept; }
      add rule inet %1$s output fib daddr type local goto ports
      add chain inet %1$s postrouting { type nat hook postrouting priority srcnat; policy accept; }
      add rule inet %1$s postrouting ct status dnat ip saddr %2$s ip daddr %2$s masquerade
      """;

  private static final String MASQUERADE =
      "add rule inet %1$s postrouting ip saddr %2$s ip daddr != { %2$s, 224.0.0.0/4 } masquerade\n";

  private final Host host;
  private final Path records;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, String> known = new ConcurrentHashMap<>();
  private volatile Consumer<String> whenMade = table -> {};

  /// @param records a directory for notes on which tables are ours; made when needed
  public PortRules(Host host, Path records) {
    this.host = host;
    this.records = records;
  }

  /// Has the given code run whenever a table was made, so that it can put back the elements of pods
  /// that live already. A firewall's reload (`flush ruleset`) deletes tables.
  public void whenMade(Consumer<String> listener) {
    whenMade = listener;
  }

  /// The name of the table for a bridge (or for a network that has none).
  public static String table(String bridge) {
    return PREFIX + bridge;
  }

  /// Makes the table if it is missing, or anew if it is for something else, and turns forwarding
  /// on.
  ///
  /// @param range the pods' addresses, IPv4
  /// @param masquerade whether what the pods send elsewhere gets the host's address; if empty,
  ///     whatever the table has is fine
  /// @throws PeapodException FAILED_PRECONDITION if `nft` is not installed
  public void ensure(String table, IpPrefix range, Optional<Boolean> masquerade) {
    Optional<Nftables.Table> found = host.nft().table(table);
    if (found.isPresent() && suits(found.get(), range, masquerade)) {
      return;
    }
    lock.lock();
    try {
      found = host.nft().table(table);
      if (found.isEmpty() || !suits(found.get(), range, masquerade)) {
        make(table, found, range, masquerade.orElse(false));
        whenMade.accept(table);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Our tables, as noted when they were made.
  public List<String> tables() {
    if (!Files.isDirectory(records)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(records)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith(RECORD))
          .map(name -> name.substring(RECORD.length()))
          .toList();
    } catch (IOException e) {
      throw PeapodException.internal(records + " can not be listed", e);
    }
  }

  /// Deletes our tables and, if no other daemon has one, turns forwarding back to what it was.
  public void remove() {
    lock.lock();
    try {
      for (String table : tables()) {
        Optional<Nftables.Table> found = host.nft().table(table);
        host.nft().deleteTable(table);
        known.remove(table);
        if (found.isPresent() && others().isEmpty()) {
          restoreForwarding(found.get());
        }
        Files.deleteIfExists(records.resolve(RECORD + table));
      }
    } catch (IOException e) {
      throw PeapodException.internal("the note on a table can not be removed", e);
    } finally {
      lock.unlock();
    }
  }

  private boolean suits(Nftables.Table table, IpPrefix range, Optional<Boolean> masquerade) {
    String comment = known.computeIfAbsent(table.name(), name -> table.comment());
    return masquerade.isEmpty()
        ? comment.startsWith("v" + TABLE_FORMAT + " range=" + range + " ")
        : comment.startsWith(purpose(range, masquerade.get()));
  }

  private void make(
      String table, Optional<Nftables.Table> present, IpPrefix range, boolean masquerade) {
    String forwarding =
        present
            .or(() -> others().stream().findFirst())
            .flatMap(PortRules::forwardingBefore)
            .or(() -> host.sysctl(FORWARDING))
            .orElse("0");
    String comment = purpose(range, masquerade) + " forwarding=" + forwarding;
    note(table);
    String script = SCRIPT + (masquerade ? MASQUERADE : "");
    host.script(
        (present.isPresent() ? "delete table inet " + table + "\n" : "")
            + script.formatted(table, range, comment));
    known.put(table, comment);
    if (!host.sysctl(FORWARDING).equals(Optional.of("1"))) {
      host.sysctl(FORWARDING, "1");
    }
  }

  private List<Nftables.Table> others() {
    return host.nft().tables().stream().filter(t -> t.name().startsWith(PREFIX)).toList();
  }

  private void restoreForwarding(Nftables.Table table) {
    Optional<String> before = forwardingBefore(table);
    if (before.isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "table {0} does not say what forwarding was before; it stays on",
          table.name());
    } else if (!before.equals(host.sysctl(FORWARDING))) {
      host.sysctl(FORWARDING, before.get());
    }
  }

  private static Optional<String> forwardingBefore(Nftables.Table table) {
    int at = table.comment().indexOf("forwarding=");
    return at < 0
        ? Optional.empty()
        : Optional.of(table.comment().substring(at + "forwarding=".length()));
  }

  private static String purpose(IpPrefix range, boolean masquerade) {
    return "v" + TABLE_FORMAT + " range=" + range + " masquerade=" + masquerade;
  }

  private void note(String table) {
    try {
      PrivateDirectories.make(records);
      Files.write(records.resolve(RECORD + table), new byte[0]);
    } catch (IOException e) {
      throw PeapodException.internal("table " + table + " can not be noted in " + records, e);
    }
  }
}
