package dev.peapod.linux.netlink;

import java.net.InetAddress;
import java.util.Optional;

/// A route of the main table.
///
/// @param destination where to; a prefix of length 0 is the default route
/// @param gateway the next hop; empty if the destination is on the link
/// @param link the index of the link to send by
public record Route(IpPrefix destination, Optional<InetAddress> gateway, int link) {}
