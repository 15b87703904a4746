package dev.peapod.daemon;

import java.net.InetAddress;

/// Where pods are to ask for names.
sealed interface DnsAddress {
  /// On the bridge of the default network, where there is one.
  record OfBridge() implements DnsAddress {}

  /// Nowhere else than the machine does.
  record None() implements DnsAddress {}

  /// At an address of the machine.
  record At(InetAddress address) implements DnsAddress {}

  /// @throws dev.peapod.error.PeapodException INVALID if it is no address of one machine
  static DnsAddress of(Settings settings) {
    Settings.Value value = settings.get(Setting.CLUSTER_DNS);
    switch (value.text()) {
      case "" -> {
        return new OfBridge();
      }
      case "none" -> {
        return new None();
      }
      default -> {
        // What is left is an address.
      }
    }
    try {
      InetAddress address = InetAddress.ofLiteral(value.text());
      if (!address.isAnyLocalAddress() && !address.isMulticastAddress()) {
        return new At(address);
      }
    } catch (IllegalArgumentException e) {
      // As any other that is none.
    }
    throw Settings.invalid(
        value.origin(),
        "%s \"%s\": not the IP address of a machine, or none"
            .formatted(Setting.CLUSTER_DNS.key(), value.text()));
  }
}
