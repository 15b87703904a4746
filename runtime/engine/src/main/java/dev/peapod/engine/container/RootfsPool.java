package dev.peapod.engine.container;

import dev.peapod.engine.state.Ids;
import dev.peapod.engine.state.SpareTime;
import dev.peapod.image.Image;
import dev.peapod.image.Snapshot;
import dev.peapod.image.Snapshots;
import dev.peapod.linux.Fd;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Root filesystems that are made before the containers that will have them: a writable layer over an image, mounted.
/// Making one creates a dozen files and directories, which is most of a container's creation on some filesystems.
///
/// For the images that were used last. Spares hold no lease: one whose image has gone is never asked for, and dropped
/// with the next that is made. Thread-safe.
public final class RootfsPool {
  /// What waits for its container.
  ///
  /// @param id the id that the container has to take
  record Spare(String id, Fd rootfs) {}

  private static final Logger LOG = System.getLogger(RootfsPool.class.getName());

  /// For how many images there are spares.
  private static final int IMAGES = 4;

  private final Snapshots snapshots;
  private final int size;
  private final SpareTime spareTime;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock making = new ReentrantLock();
  // By the image's layers, whose directories are never used again for others; what was used last comes last.
  private final LinkedHashMap<List<Path>, Deque<Spare>> byLayers =
      new LinkedHashMap<>(IMAGES, 0.75f, true);
  private boolean closed;

  /// @param size how many are kept for an image; 0 for none
  /// @param spareTime when the pool is filled
  public RootfsPool(Snapshots snapshots, int size, SpareTime spareTime) {
    this.snapshots = snapshots;
    this.size = size;
    this.spareTime = spareTime;
  }

  /// Takes out one of an image that is held by whoever asks.
  Optional<Spare> take(Image image) {
    lock.lock();
    try {
      return Optional.ofNullable(byLayers.get(image.layers())).map(Deque::pollFirst);
    } finally {
      lock.unlock();
    }
  }

  /// Has the pool filled up for an image, when there is time and by another thread.
  void refill(Image image) {
    if (size > 0) {
      spareTime.later(() -> fill(image));
    }
  }

  private void fill(Image image) {
    making.lock();
    try {
      while (wanted(image)) {
        add(image, make(image));
      }
    } catch (RuntimeException e) {
      LOG.log(Level.DEBUG, "no root filesystem is made ahead now: {0}", e.getMessage());
    } finally {
      making.unlock();
    }
  }

  private boolean wanted(Image image) {
    lock.lock();
    try {
      Deque<Spare> spares = byLayers.get(image.layers());
      return !closed && (spares == null || spares.size() < size) && isThere(image.layers());
    } finally {
      lock.unlock();
    }
  }

  private static boolean isThere(List<Path> layers) {
    return layers.stream().allMatch(Files::isDirectory);
  }

  private Spare make(Image image) {
    String id = Ids.random();
    Snapshot snapshot = snapshots.prepare(id, image);
    try {
      return new Spare(id, snapshots.mount(snapshot));
    } catch (RuntimeException e) {
      snapshots.remove(id);
      throw e;
    }
  }

  private void add(Image image, Spare spare) {
    List<Spare> dropped = new ArrayList<>();
    lock.lock();
    try {
      byLayers.computeIfAbsent(image.layers(), layers -> new ArrayDeque<>()).addLast(spare);
      int excess = byLayers.size() - IMAGES;
      for (List<Path> layers : List.copyOf(byLayers.keySet())) {
        if (excess > 0 || !isThere(layers)) {
          dropped.addAll(byLayers.remove(layers));
          excess--;
        }
      }
    } finally {
      lock.unlock();
    }
    dropped.forEach(this::discard);
  }

  /// Removes what was taken out and is not wanted after all.
  void discard(Spare spare) {
    spare.rootfs().close();
    snapshots.remove(spare.id());
  }

  /// Removes all and makes no more. What a daemon that died had made goes as the snapshot of no container.
  public void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    making.lock();
    try {
      byLayers.values().forEach(spares -> spares.forEach(this::discard));
      byLayers.clear();
    } finally {
      making.unlock();
    }
  }
}
