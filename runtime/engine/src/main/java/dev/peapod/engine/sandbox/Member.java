package dev.peapod.engine.sandbox;

import dev.peapod.engine.model.ContainerStatus;
import java.util.concurrent.CompletableFuture;

/// A container, as its sandbox sees it.
public interface Member {
  /// The container's id.
  String id();

  /// Kills all of its processes, without waiting; completes when it has ended (at once if it does
  /// not run).
  CompletableFuture<?> kill();

  /// Kills and removes it with all that belongs to it.
  void remove();

  /// How it is now.
  ContainerStatus status();
}
