package dev.peapod.cni;

import java.net.InetAddress;

/// A port of the host that a holder binds, and where it forwards what reaches it there.
///
/// Of an IPv6 address only IPv6 is meant (`IPV6_V6ONLY`): a mapping for all addresses asks for
/// `0.0.0.0` and `::` side by side.
///
/// @param protocol [Protocol#TCP] or [Protocol#UDP]; SCTP is never held
/// @param address the address to bind, possibly the wildcard
/// @param port the port to bind
/// @param target the pod's address
/// @param targetPort the pod's port
public record HeldPort(
    Protocol protocol, InetAddress address, int port, InetAddress target, int targetPort) {}
