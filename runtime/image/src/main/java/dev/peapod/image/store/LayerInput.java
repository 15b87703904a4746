package dev.peapod.image.store;

import dev.peapod.image.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// A layer that an image needs and where its blob can be had.
///
/// @param diffId digest of the content
/// @param blob digest of the blob; absent if it has none
/// @param size of the blob in bytes; negative if unknown
/// @param what names the layer in errors
public record LayerInput(
    Digest diffId, Optional<Digest> blob, long size, String what, Opener opener) {
  /// Opens the blob; called at most once, on another thread.
  @FunctionalInterface
  public interface Opener {
    InputStream open() throws IOException;
  }

  String shownDigest() {
    return blob.orElse(diffId).toString();
  }
}
