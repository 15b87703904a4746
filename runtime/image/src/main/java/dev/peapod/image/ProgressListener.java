package dev.peapod.image;

/// Is told how a pull or a load goes on. Called from several threads at once, often; must be quick.
@FunctionalInterface
public interface ProgressListener {
  /// One that does not listen.
  ProgressListener NONE = layer -> {};

  /// A layer's state changed or some more of it arrived.
  void progress(LayerProgress layer);
}
