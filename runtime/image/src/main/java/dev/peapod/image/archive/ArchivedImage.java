package dev.peapod.image.archive;

import dev.peapod.image.Digest;
import dev.peapod.image.ImageConfig;
import dev.peapod.image.store.LayerInput;
import java.util.List;
import java.util.Set;

/// An image found in an archive.
///
/// @param id digest of the configuration
/// @param document the configuration as it came
/// @param layers lowest first
/// @param tags `name:tag`, normalised
public record ArchivedImage(
    Digest id, ImageConfig config, byte[] document, List<LayerInput> layers, Set<String> tags) {}
