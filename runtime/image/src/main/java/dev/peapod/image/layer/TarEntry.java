package dev.peapod.image.layer;

import dev.peapod.linux.FileAttributes;

/// One entry of a tar archive. Names are byte strings: each character is one byte.
///
/// @param type as in the header: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices,
/// `5` directory, `6` FIFO
/// @param size bytes of content that follow
public record TarEntry(
    String name,
    char type,
    String linkName,
    long size,
    int major,
    int minor,
    FileAttributes attributes) {}
