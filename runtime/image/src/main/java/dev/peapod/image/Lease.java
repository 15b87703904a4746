package dev.peapod.image;

import java.nio.file.Path;
import java.util.List;

/// Keeps an image's layers on disk for a holder, such as a container, whatever owners remove.
///
/// @param holder a name of letters, digits, `.`, `_`, `-`
/// @param layers the directories of the layers, lowest first
public record Lease(String imageId, String holder, List<Path> layers) {}
