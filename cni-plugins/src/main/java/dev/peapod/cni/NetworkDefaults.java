package dev.peapod.cni;

/// What the built-in network is made of when there is no CNI configuration.
///
/// @param name the network's name
/// @param bridge the bridge's interface name, at most 15 characters
/// @param cidr the range of the pods' addresses, such as `10.88.0.0/16`
/// @param mtu the links' MTU in bytes, or 0 for the kernel's own choice
public record NetworkDefaults(String name, String bridge, String cidr, int mtu) {
  /// The network `peapod` on the bridge `peapod0` with 10.88.0.0/16.
  public static final NetworkDefaults STANDARD =
      new NetworkDefaults("peapod", "peapod0", "10.88.0.0/16", 0);

  NetworkDefaults withCidr(String other) {
    return new NetworkDefaults(name, bridge, other, mtu);
  }
}
