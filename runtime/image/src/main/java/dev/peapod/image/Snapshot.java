package dev.peapod.image;

import java.nio.file.Path;
import java.util.List;

/// The writable layer of one container over the layers of its image.
///
/// @param layers directories of the image's layers, lowest first
public record Snapshot(String containerId, List<Path> layers, Path upper, Path work) {
  public Snapshot {
    layers = List.copyOf(layers);
  }
}
