package dev.peapod.image;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import java.nio.file.Path;
import java.util.Collection;

/// The containers' writable layers, under `<root>/containers`.
///
/// Volatile: nothing is synced, and after a reboot nothing of it is read. Thread-safe for different
/// containers.
public final class Snapshots {
  private Snapshots() {}

  /// Opens the directory, making it if need be.
  public static Snapshots open(Path root) {
    throw new UnsupportedOperationException();
  }

  /// Makes `<root>/containers/<id>/{upper,work}`; the upper's owner and mode are those of the image's
  /// root directory. An existing one is kept as it is.
  public Snapshot prepare(String containerId, Image image) {
    throw new UnsupportedOperationException();
  }

  /// A detached overlay mount of the snapshot, which nobody else may have mounted at the time.
  ///
  /// @throws PeapodException INTERNAL if the kernel refuses
  public Fd mount(Snapshot snapshot) {
    throw new UnsupportedOperationException();
  }

  /// Removes a container's directories; does nothing if there are none. It must not be mounted.
  public void remove(String containerId) {
    throw new UnsupportedOperationException();
  }

  /// Removes the directories of all but these containers; for start-up.
  public void retain(Collection<String> liveContainerIds) {
    throw new UnsupportedOperationException();
  }

  /// What a container has written; 0 if it has no snapshot.
  public FsUsage usage(String containerId) {
    throw new UnsupportedOperationException();
  }

  /// Where all the snapshots are.
  public Path directory() {
    throw new UnsupportedOperationException();
  }
}
