package dev.peapod.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Supplier;

/// The servers that this machine itself asks, looked up again when a second is over. Thread-safe.
final class HostServers implements Supplier<List<InetSocketAddress>> {
  private static final int PORT = 53;
  private static final long AGE_NANOS = 1_000_000_000;

  private record Known(List<InetSocketAddress> servers, long at) {}

  private final InetAddress self;
  private volatile Known known;

  /// @param self is never among them, even where the machine is told to ask it
  HostServers(InetAddress self) {
    this.self = self;
    this.known = read();
  }

  @Override
  public List<InetSocketAddress> get() {
    Known last = known;
    if (System.nanoTime() - last.at > AGE_NANOS) {
      last = read();
      known = last;
    }
    return last.servers;
  }

  private Known read() {
    return new Known(
        ResolvConf.ofHost().servers().stream()
            .flatMap(text -> address(text).stream())
            .filter(address -> !address.equals(self))
            .map(address -> new InetSocketAddress(address, PORT))
            .toList(),
        System.nanoTime());
  }

  private static List<InetAddress> address(String text) {
    try {
      return List.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      // As the machine's own resolver does with what is no address.
      return List.of();
    }
  }
}
