package dev.peapod.image;

import java.nio.file.Path;

/// What part of a filesystem something takes.
///
/// @param directory what was measured
/// @param bytes allocated for file content
/// @param inodes files of any kind
public record FsUsage(Path directory, long bytes, long inodes) {}
