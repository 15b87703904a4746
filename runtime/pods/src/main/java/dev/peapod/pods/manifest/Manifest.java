package dev.peapod.pods.manifest;

import java.util.List;

/// One document, checked, with Kubernetes' defaults filled in.
public sealed interface Manifest permits PodManifest, ObjectManifest {
  /// The file's name, or `-`.
  String source();

  String kind();

  String namespace();

  String name();

  /// What is accepted and yet likely a mistake.
  List<String> warnings();
}
