package dev.peapod.image;

import dev.peapod.error.PeapodException;
import dev.peapod.image.registry.RegistryConfig;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// The images on this machine, under `<root>/images`.
///
/// Owners (such as `kubelet` and `pods`) hold references to images and see only their own; layers
/// are shared by all. Thread-safe. Methods block; call them on any thread.
public final class ImageStore implements AutoCloseable {
  private ImageStore() {}

  /// Opens the store and removes what an earlier process left half-made.
  public static ImageStore open(Path root, RegistryConfig registries) {
    throw new UnsupportedOperationException();
  }

  /// Pulls an image, unpacks it and gives the owner a reference to it. What is there already is not
  /// fetched again. Interrupting the thread gives the pull up.
  ///
  /// @param credentials shown to the registry instead of configured ones
  /// @throws PeapodException NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, INVALID,
  ///     FAILED_PRECONDITION (content is not what its digest says), RESOURCE_EXHAUSTED (no space)
  public Image pull(
      String owner,
      Reference reference,
      Optional<Credentials> credentials,
      ProgressListener progress) {
    throw new UnsupportedOperationException();
  }

  /// The owner's image of this name (tag or digest, normalised first), id, or prefix of an id.
  ///
  /// @throws PeapodException INVALID if the prefix fits several images
  public Optional<Image> find(String owner, String referenceOrId) {
    throw new UnsupportedOperationException();
  }

  /// The owner's images.
  public List<Image> list(String owner) {
    throw new UnsupportedOperationException();
  }

  /// Drops all of the owner's references to an image; does nothing if there is none. The content goes
  /// once no owner refers to it and no lease holds it.
  public void remove(String owner, String referenceOrId) {
    throw new UnsupportedOperationException();
  }

  /// Takes in the images of a `docker save` or OCI-layout archive, tar or tar.gz.
  ///
  /// @throws PeapodException INVALID if it is no such archive, FAILED_PRECONDITION if a digest is
  ///     wrong, RESOURCE_EXHAUSTED
  public List<Image> load(String owner, InputStream archive, ProgressListener progress) {
    throw new UnsupportedOperationException();
  }

  /// What images take on disk, from records; reads no directory.
  public FsUsage usage() {
    throw new UnsupportedOperationException();
  }

  /// Holds an image for a holder until [#release]; recorded on disk. Quick: no fsync.
  ///
  /// @param holder a name of letters, digits, `.`, `_`, `-`
  /// @throws PeapodException NOT_FOUND if there is no such image
  public Lease lease(String imageId, String holder) {
    throw new UnsupportedOperationException();
  }

  /// Ends all leases of a holder; does nothing if it has none.
  public void release(String holder) {
    throw new UnsupportedOperationException();
  }

  /// Ends the leases of all but these holders; for start-up.
  public void retainLeases(Collection<String> liveHolders) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
