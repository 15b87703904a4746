package dev.peapod.engine.checkpoint;

/// The names in an archive; `checkpointctl`, and what other runtimes make for kubelets, have the same.
final class Layout {
  /// What it is of.
  static final String CONFIG = "config.dump";

  /// How it was run.
  static final String SPEC = "spec.dump";

  /// The directory of criu's images.
  static final String IMAGES = "checkpoint";

  /// What its files differ in from its image, as a layer of an image.
  static final String ROOTFS = "rootfs-diff.tar";

  /// In the directory of images: what the standard streams were.
  static final String DESCRIPTORS = "descriptors.json";

  /// criu's log.
  static final String LOG = "dump.log";

  /// What criu says when it restores.
  static final String RESTORE_LOG = "restore.log";

  /// criu's statistics.
  static final String STATISTICS = "stats-dump";

  /// Of a whole pod: what it is of.
  static final String POD = "pod.dump";

  /// Of a whole pod: the directory of its containers' archives, each named after its container.
  static final String CONTAINERS = "containers";

  private Layout() {}
}
