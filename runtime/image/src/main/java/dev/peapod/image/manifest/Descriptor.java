package dev.peapod.image.manifest;

import dev.peapod.image.Digest;
import java.util.Map;
import java.util.Optional;

/// Names some content, as OCI descriptors do.
///
/// @param mediaType empty if it is not said
/// @param size in bytes
/// @param platform what the image named is for; only in indexes
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    Optional<Platform> platform,
    Map<String, String> annotations) {}
