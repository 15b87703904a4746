package dev.peapod.linux;

import java.util.Map;

/// What a file has besides its content and type.
///
/// @param mode the low twelve bits
/// @param uid as the kernel takes it, unsigned
/// @param gid as the kernel takes it, unsigned
/// @param mtimeSeconds since 1970
/// @param mtimeNanos within the second
/// @param xattrs values by name; empty for most files
public record FileAttributes(
    int mode, int uid, int gid, long mtimeSeconds, int mtimeNanos, Map<String, byte[]> xattrs) {}
