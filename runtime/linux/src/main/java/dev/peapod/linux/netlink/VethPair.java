package dev.peapod.linux.netlink;

import dev.peapod.linux.Fd;
import java.util.Optional;
import java.util.OptionalInt;

/// A pair of connected links that is to be made, one end here and one in another network namespace.
///
/// @param name the name of the end here
/// @param master the index of the bridge that the end here becomes a port of
/// @param peerName the name of the other end
/// @param peerNamespace the network namespace that the other end is born in
/// @param peerMac the other end's hardware address; empty for a random one
/// @param peerUp whether the other end is born up
/// @param mtu of both ends in bytes, or 0 for the kernel's own choice
public record VethPair(
    String name,
    OptionalInt master,
    String peerName,
    Fd peerNamespace,
    Optional<MacAddress> peerMac,
    boolean peerUp,
    int mtu) {}
