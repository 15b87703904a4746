package dev.peapod.linux.netlink;

import java.util.Optional;
import java.util.OptionalInt;

/// A network interface as the kernel tells of it.
///
/// @param index its number in its network namespace
/// @param name its name, at most 15 characters
/// @param up whether it is administratively up
/// @param mac its hardware address, if it has an Ethernet one
/// @param mtu the largest packet in bytes
/// @param master the index of the bridge (or the like) that it is a port of
/// @param kind `bridge`, `veth` or the like; empty for a plain device
/// @param alias the free text an administrator gave it
public record Link(
    int index,
    String name,
    boolean up,
    Optional<MacAddress> mac,
    int mtu,
    OptionalInt master,
    Optional<String> kind,
    Optional<String> alias) {}
