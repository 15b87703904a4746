package dev.peapod.image;

/// How far one layer is.
///
/// @param digest of the layer's blob (of its content, where an archive names no blob)
/// @param bytes of the blob that have arrived
/// @param total bytes of the blob, 0 if unknown
public record LayerProgress(String digest, State state, long bytes, long total) {
  /// What happens to the layer now.
  public enum State {
    WAITING,
    DOWNLOADING,
    /// All of the blob is here, the last of it is being unpacked.
    UNPACKING,
    DONE,
    /// The layer was there before.
    EXISTS
  }
}
