package dev.peapod.pods.manifest;

/// One thing that is wrong with a manifest.
///
/// @param source the file's name, or `-`
/// @param path the field, such as `spec.containers[0].ports[1].hostPort`; empty for the document as
/// a whole
public record ManifestError(String source, Position position, String path, String message)
    implements Comparable<ManifestError> {

  @Override
  public int compareTo(ManifestError other) {
    return position.compareTo(other.position);
  }

  /// `pod.yaml:12:5: spec.containers[0].name: Required value`.
  @Override
  public String toString() {
    String where = source + ":" + position.line() + ":" + position.column() + ": ";
    return path.isEmpty() ? where + message : where + path + ": " + message;
  }
}
