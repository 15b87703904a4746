package dev.peapod.image.store;

import dev.peapod.image.ImageConfig;
import java.util.List;

/// An image on disk.
///
/// @param id digest of its configuration
/// @param layers directories of its layers, lowest first
public record ImageRecord(String id, ImageConfig config, List<String> layers) {
  public ImageRecord {
    layers = List.copyOf(layers);
  }
}
