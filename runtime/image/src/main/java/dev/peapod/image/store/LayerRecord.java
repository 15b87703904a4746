package dev.peapod.image.store;

import dev.peapod.image.Digest;
import java.util.List;

/// A layer on disk.
///
/// @param diffId digest of its content
/// @param directory name of its directory, short for overlayfs's sake
/// @param bytes of file content
/// @param inodes files of any kind
/// @param unsaid directories whose owner and mode come from the layers below; byte strings
public record LayerRecord(
    Digest diffId, String directory, long bytes, long inodes, List<String> unsaid) {
  public LayerRecord {
    unsaid = List.copyOf(unsaid);
  }
}
