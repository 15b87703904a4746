package dev.peapod.image;

import dev.peapod.error.PeapodException;
import dev.peapod.image.archive.ArchiveReader;
import dev.peapod.image.archive.ArchivedImage;
import dev.peapod.image.registry.RegistryClient;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.store.ContentStore;
import dev.peapod.image.store.Disk;
import dev.peapod.image.store.ImageRecord;
import dev.peapod.image.store.Ingest;
import dev.peapod.image.store.LayerRecord;
import dev.peapod.image.store.OwnerRecord;
import dev.peapod.image.store.StoreState;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The images on this machine, under `<root>/images`.
///
/// Owners (such as `kubelet` and `pods`) hold references to images and see only their own; layers
/// are shared by all. Thread-safe. Methods block; call them on any thread.
public final class ImageStore implements AutoCloseable {
  private static final Pattern ID = Pattern.compile("(?:sha256:)?([0-9a-f]{1,64})");

  private final Path directory;
  private final ContentStore content;
  private final RegistryClient registries;

  private ImageStore(Path directory, ContentStore content, RegistryClient registries) {
    this.directory = directory;
    this.content = content;
    this.registries = registries;
  }

  /// Opens the store. What nobody refers to stays until [#adopt] has said what is held.
  public static ImageStore open(Path root, RegistryConfig registries) {
    Path directory = root.resolve("images");
    return new ImageStore(directory, ContentStore.open(directory), new RegistryClient(registries));
  }

  /// Pulls an image, unpacks it and gives the owner a reference to it. What is there already is not
  /// fetched again. Interrupting the thread gives the pull up.
  ///
  /// @param credentials shown to the registry instead of configured ones; mirrors never see them
  /// @throws PeapodException NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, INVALID,
  ///     FAILED_PRECONDITION (content is not what its digest says), RESOURCE_EXHAUSTED (no space)
  public Image pull(
      String owner,
      Reference reference,
      Optional<Credentials> credentials,
      ProgressListener progress) {
    PulledImage image = PulledImage.resolve(registries.source(reference, credentials), reference);
    String id = image.id().toString();
    UnaryOperator<StoreState> names =
        state -> state.with(owner, state.owner(owner).with(id, image.tags(), image.digests()));
    try (Ingest ingest = content.ingest(image.layers(), progress)) {
      ingest.commit(id, image.config(), image.document(), "image " + reference, names);
    }
    return image(owner, id).orElseThrow(() -> removed(reference.toString()));
  }

  /// The owner's image of this name (tag or digest, normalised first), id, or prefix of an id.
  ///
  /// @throws PeapodException INVALID if the prefix fits several images
  public Optional<Image> find(String owner, String referenceOrId) {
    return id(content.state().owner(owner), referenceOrId).flatMap(id -> image(owner, id));
  }

  /// The owner's images.
  public List<Image> list(String owner) {
    StoreState state = content.state();
    return state.owner(owner).images().stream()
        .sorted()
        .flatMap(id -> image(state, owner, id).stream())
        .toList();
  }

  /// Drops all of the owner's references to an image; does nothing if there is none. The content
  /// goes once no owner refers to it and no lease holds it.
  ///
  /// @throws PeapodException INVALID if a prefix fits several images
  public void remove(String owner, String referenceOrId) {
    content.update(
        state ->
            id(state.owner(owner), referenceOrId)
                .map(id -> state.with(owner, state.owner(owner).without(id)))
                .orElse(state));
  }

  /// Takes in the images of a `docker save` or OCI-layout archive, tar or tar.gz.
  ///
  /// @throws PeapodException INVALID if it is no such archive, FAILED_PRECONDITION if a digest is
  ///     wrong, NOT_FOUND if no image of it is for this machine, RESOURCE_EXHAUSTED
  public List<Image> load(String owner, InputStream archive, ProgressListener progress) {
    Path scratch = content.scratch();
    try {
      List<Image> images = new ArrayList<>();
      for (ArchivedImage image : ArchiveReader.read(archive, scratch)) {
        String id = image.id().toString();
        UnaryOperator<StoreState> names =
            state -> state.with(owner, state.owner(owner).with(id, image.tags(), List.of()));
        try (Ingest ingest = content.ingest(image.layers(), progress)) {
          ingest.commit(id, image.config(), image.document(), "image " + id, names);
        }
        images.add(image(owner, id).orElseThrow(() -> removed(id)));
      }
      return images;
    } finally {
      Disk.discard(scratch);
    }
  }

  /// What images take on disk, from records; reads no directory.
  public FsUsage usage() {
    long bytes = 0;
    long inodes = 0;
    for (LayerRecord layer : content.state().layers().values()) {
      bytes += layer.bytes();
      inodes += layer.inodes();
    }
    return new FsUsage(directory, bytes, inodes);
  }

  /// Holds an image for a holder until [#release]. Quick: no lock, no disk. An earlier process's leases are gone
  /// with it: see [#adopt].
  ///
  /// @param holder a name of letters, digits, `.`, `_`, `-`
  /// @throws PeapodException NOT_FOUND if there is no such image
  public Lease lease(String imageId, String holder) {
    return content.lease(imageId, holder);
  }

  /// Ends all leases of a holder; does nothing if it has none.
  public void release(String holder) {
    content.release(holder);
  }

  /// For start-up: says who holds what of an earlier process's. Nothing is removed from disk before.
  public void adopt(Collection<Lease> held) {
    content.adopt(held);
  }

  /// Gives up what is under way and waits for it to end.
  @Override
  public void close() {
    registries.close();
    content.close();
  }

  private Optional<Image> image(String owner, String id) {
    return image(content.state(), owner, id);
  }

  private Optional<Image> image(StoreState state, String owner, String id) {
    ImageRecord record = state.images().get(id);
    if (record == null) {
      return Optional.empty();
    }
    OwnerRecord references = state.owner(owner);
    long size =
        record.layers().stream()
            .map(state.layers()::get)
            .filter(Objects::nonNull)
            .mapToLong(LayerRecord::bytes)
            .sum();
    return Optional.of(
        new Image(
            id,
            names(references.tags(), id),
            names(references.digests(), id),
            size,
            record.config(),
            record.layers().stream().map(content::layer).toList()));
  }

  private static List<String> names(Map<String, String> names, String id) {
    return names.entrySet().stream()
        .filter(entry -> entry.getValue().equals(id))
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  private static Optional<String> id(OwnerRecord owner, String text) {
    if (text.startsWith("sha256:") && owner.images().contains(text)) {
      return Optional.of(text);
    }
    Optional<String> named = named(owner, text);
    Matcher matcher = ID.matcher(text);
    if (named.isPresent() || !matcher.matches()) {
      return named;
    }
    String prefix = "sha256:" + matcher.group(1);
    List<String> fitting = owner.images().stream().filter(id -> id.startsWith(prefix)).toList();
    if (fitting.size() > 1) {
      throw PeapodException.invalid(
          "\""
              + text
              + "\" is the beginning of "
              + fitting.size()
              + " image ids: write more of it");
    }
    return fitting.stream().findFirst();
  }

  private static Optional<String> named(OwnerRecord owner, String text) {
    Reference reference;
    try {
      reference = Reference.parse(text);
    } catch (PeapodException e) {
      return Optional.empty();
    }
    String id =
        reference.digest().isPresent()
            ? owner.digests().get(reference.name() + "@" + reference.digest().get())
            : owner.tags().get(reference.toString());
    return Optional.ofNullable(id);
  }

  private static PeapodException removed(String what) {
    return PeapodException.notFound("image " + what + " was removed while it was brought here");
  }
}
