package dev.peapod.engine.model;

/// What names a sandbox within its owner.
///
/// @param attempt how often the sandbox was made anew, from 0
public record PodMetadata(String name, String uid, String namespace, int attempt) {
  /// The key of the name's reservation.
  public String key() {
    return name + "_" + namespace + "_" + uid + "_" + attempt;
  }
}
