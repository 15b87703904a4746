package dev.peapod.engine.state;

/// A device node of a container, with the numbers that it had on the host when the container was
/// created.
///
/// @param path in the container, below `/dev`
/// @param mode type and permissions, as mknod(2) takes them
/// @param device as mknod(2) takes it
/// @param rule what the device cgroup lets through, such as `c 10:200 rwm`
public record ResolvedDevice(
    String path, int mode, long device, long uid, long gid, String rule) {}
