package dev.peapod.image;

import java.nio.file.Path;
import java.util.List;

/// An image that is unpacked and ready to run, as one owner sees it.
///
/// @param id digest of its configuration, `sha256:...`
/// @param tags the owner's names for it, such as `docker.io/library/nginx:latest`; may be empty
/// @param digests what it was pulled as, such as `docker.io/library/nginx@sha256:...`
/// @param size bytes of its unpacked layers
/// @param layers directories of the layers, lowest first, at least one; read-only
public record Image(
    String id,
    List<String> tags,
    List<String> digests,
    long size,
    ImageConfig config,
    List<Path> layers) {
  public Image {
    tags = List.copyOf(tags);
    digests = List.copyOf(digests);
    layers = List.copyOf(layers);
  }
}
