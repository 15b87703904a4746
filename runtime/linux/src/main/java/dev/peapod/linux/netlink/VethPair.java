package dev.peapod.linux.netlink;

import dev.peapod.linux.Fd;
import java.util.Optional;
import java.util.OptionalInt;

/// A pair of connected links that is to be made, one end here and one in another network namespace.
/// Both are born down, since the kernel lets neither go up before the pair is whole.
///
/// @param name the name of the end here
/// @param master the index of the bridge that the end here becomes a port of
/// @param peerName the name of the other end
/// @param peerNamespace the network namespace that the other end is born in
/// @param peerMac the other end's hardware address; empty for a random one
/// @param mtu of both ends in bytes, or 0 for the kernel's own choice
public record VethPair(
    String name,
    OptionalInt master,
    String peerName,
    Fd peerNamespace,
    Optional<MacAddress> peerMac,
    int mtu) {}
