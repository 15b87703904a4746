package dev.peapod.daemon;

import dev.peapod.dns.DnsServer;
import dev.peapod.linux.netlink.IpPrefix;
import dev.peapod.pods.service.ClusterDns;
import dev.peapod.pods.service.ClusterZone;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The DNS server of applied pods: opened when it is needed, and again where the default network has got other addresses.
/// Thread-safe.
final class NameServer implements ClusterDns, AutoCloseable {
  private static final Logger LOG = System.getLogger(NameServer.class.getName());
  private static final int PORT = 53;
  private static final Duration AGAIN = Duration.ofSeconds(10);

  private final String domain;
  private final DnsAddress wanted;
  private final Supplier<Optional<IpPrefix>> gateway;
  private @Nullable ClusterZone zone;
  private @Nullable DnsServer open;
  private @Nullable Thread again;
  private String problem = "";
  private boolean closed;

  /// @param gateway the machine's address on the pods' network, with their range, where it is Peapod's own
  NameServer(DnsAddress wanted, String domain, Supplier<Optional<IpPrefix>> gateway) {
    this.wanted = wanted;
    this.domain = domain;
    this.gateway = gateway;
  }

  /// Says what is answered, before anybody asks.
  synchronized void answer(ClusterZone names) {
    zone = names;
  }

  @Override
  public String domain() {
    return domain;
  }

  @Override
  public synchronized Server server() {
    Optional<InetAddress> address =
        switch (wanted) {
          case DnsAddress.None() -> Optional.empty();
          case DnsAddress.At(InetAddress at) -> Optional.of(at);
          case DnsAddress.OfBridge() -> gateway.get().map(IpPrefix::address);
        };
    if (closed || address.isEmpty() || zone == null) {
      return new Server.None();
    }
    return ensure(address.get(), zone)
        ? new Server.At(address.get().getHostAddress())
        : new Server.Missing(problem);
  }

  private boolean ensure(InetAddress address, ClusterZone names) {
    if (open != null && open.address().getAddress().equals(address)) {
      return true;
    }
    end();
    try {
      open =
          DnsServer.open(
              new InetSocketAddress(address, PORT), names, asker -> mayAsk(asker, address, names));
      LOG.log(Logger.Level.DEBUG, "names are answered at {0}", address.getHostAddress());
      problem = "";
      return true;
    } catch (IOException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(problem)) {
        LOG.log(Logger.Level.WARNING, "no DNS for pods: " + why);
      }
      problem = why;
      tryAgain();
      return false;
    }
  }

  /// Pods, and the machine itself: it is no server for others.
  private boolean mayAsk(InetAddress asker, InetAddress own, ClusterZone names) {
    return asker.equals(own)
        || gateway.get().filter(range -> range.contains(asker)).isPresent()
        || names.isPod(asker);
  }

  /// Pods that were told of the server before need it as soon as it can be.
  private void tryAgain() {
    if (again == null || !again.isAlive()) {
      again =
          Thread.ofVirtual()
              .name("dns again")
              .start(
                  () -> {
                    try {
                      do {
                        Thread.sleep(AGAIN);
                      } while (server() instanceof Server.Missing);
                    } catch (InterruptedException e) {
                      LOG.log(Logger.Level.DEBUG, "ended without a DNS server");
                    }
                  });
    }
  }

  private void end() {
    if (open != null) {
      open.close();
      open = null;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (again != null) {
      again.interrupt();
    }
    end();
  }
}
