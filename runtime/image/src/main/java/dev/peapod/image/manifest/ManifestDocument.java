package dev.peapod.image.manifest;

import java.util.List;

/// A document that a tag or digest of an image leads to.
public sealed interface ManifestDocument {
  /// One image: its configuration and its layers, lowest first.
  record Manifest(Descriptor config, List<Descriptor> layers) implements ManifestDocument {}

  /// Images for several platforms.
  record Index(List<Descriptor> manifests) implements ManifestDocument {}
}
