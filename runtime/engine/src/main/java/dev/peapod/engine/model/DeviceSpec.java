package dev.peapod.engine.model;

/// A device of the host that a container gets.
///
/// @param containerPath where its node is made
/// @param hostPath the node on the host, or a directory whose nodes are all meant
/// @param permissions letters of `r` (read), `w` (write) and `m` (make nodes)
public record DeviceSpec(String containerPath, String hostPath, String permissions) {}
