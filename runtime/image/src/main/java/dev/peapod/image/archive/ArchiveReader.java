package dev.peapod.image.archive;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Digest;
import dev.peapod.image.ImageConfig;
import dev.peapod.image.ImageConfigReader;
import dev.peapod.image.JsonDocuments;
import dev.peapod.image.Reference;
import dev.peapod.image.manifest.Descriptor;
import dev.peapod.image.manifest.ManifestDocument;
import dev.peapod.image.manifest.ManifestDocument.Index;
import dev.peapod.image.manifest.ManifestDocument.Manifest;
import dev.peapod.image.manifest.ManifestReader;
import dev.peapod.image.manifest.Platform;
import dev.peapod.image.store.LayerInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Finds the images of an archive: by `index.json` if it is an OCI layout, else by `manifest.json`.
///
/// Newer `docker save` archives have both; then names are taken from both.
public final class ArchiveReader {
  private static final String IMAGE_NAME = "io.containerd.image.name";
  private static final String REF_NAME = "org.opencontainers.image.ref.name";
  private static final int MAX_DOCUMENT = 4 << 20;
  private static final int MAX_IMAGES = 1000;

  private final ArchiveFiles files;
  private final Map<Digest, ArchivedImage> images = new LinkedHashMap<>();
  private final List<PeapodException> skipped = new ArrayList<>();

  private ArchiveReader(ArchiveFiles files) {
    this.files = files;
  }

  /// Reads an archive, tar or tar.gz, to its end; keeps its files in `scratch`, where the images'
  /// layers are read from later.
  ///
  /// @throws PeapodException INVALID if it is no image archive, FAILED_PRECONDITION (a digest is
  ///     wrong), NOT_FOUND (no image for this machine), RESOURCE_EXHAUSTED
  public static List<ArchivedImage> read(InputStream archive, Path scratch) {
    return new ArchiveReader(ArchiveFiles.extract(archive, scratch)).read();
  }

  private List<ArchivedImage> read() {
    Optional<byte[]> index = files.document("index.json", MAX_DOCUMENT);
    Optional<byte[]> manifest = files.document("manifest.json", MAX_DOCUMENT);
    if (index.isPresent() && files.file("oci-layout").isPresent()) {
      layout(index.get());
      manifest.ifPresent(document -> docker(document, true));
    } else if (manifest.isPresent()) {
      docker(manifest.get(), false);
    } else {
      throw PeapodException.invalid(
          "this is not an image archive: it has neither the manifest.json of docker save nor the"
              + " index.json of an OCI layout");
    }
    if (images.isEmpty()) {
      throw skipped.isEmpty()
          ? PeapodException.invalid("the archive has no image in it")
          : skipped.getFirst();
    }
    return List.copyOf(images.values());
  }

  private void layout(byte[] document) {
    if (!(ManifestReader.read(document, "") instanceof Index(List<Descriptor> manifests))) {
      throw PeapodException.invalid("the archive's index.json is not an index");
    }
    for (Descriptor descriptor : manifests) {
      Optional<Platform> platform = descriptor.platform();
      if (platform.isPresent() && !Platform.current().runs(platform.get())) {
        skipped.add(
            PeapodException.notFound(
                "the archive's image is for "
                    + platform.get()
                    + ", not for "
                    + Platform.current()));
        continue;
      }
      ManifestDocument found = manifest(descriptor);
      if (found instanceof Index index) {
        found = manifest(ManifestReader.choose(index, Platform.current()));
      }
      switch (found) {
        case Index index -> throw PeapodException.invalid("the archive's index leads to an index");
        case Manifest image -> add(image, names(descriptor));
      }
    }
  }

  private void add(Manifest manifest, Set<String> tags) {
    byte[] document = blob(manifest.config(), ImageConfigReader.MAX_BYTES, "image configuration");
    ImageConfig config = ImageConfigReader.read(document);
    List<LayerInput> layers = new ArrayList<>();
    checkCount(config, manifest.layers().size());
    for (int i = 0; i < manifest.layers().size(); i++) {
      Descriptor layer = manifest.layers().get(i);
      Path file = required(path(layer.digest()));
      layers.add(
          new LayerInput(
              config.diffIds().get(i),
              Optional.of(layer.digest()),
              layer.size(),
              "layer " + layer.digest(),
              () -> Files.newInputStream(file)));
    }
    add(new ArchivedImage(manifest.config().digest(), config, document, layers, tags));
  }

  /// Reads `manifest.json`; with `namesOnly` only the names of images that are known already.
  private void docker(byte[] document, boolean namesOnly) {
    String what = "the archive's manifest.json";
    JsonNode list = JsonDocuments.read(document, what);
    if (!list.isArray() || list.size() > MAX_IMAGES) {
      throw PeapodException.invalid(what + " is not a list of at most " + MAX_IMAGES + " images");
    }
    for (JsonNode node : list) {
      String configName = JsonDocuments.text(node, "Config", what).orElse("");
      Set<String> tags = new TreeSet<>();
      for (String tag : JsonDocuments.texts(node, "RepoTags", what)) {
        tag(tag).ifPresent(tags::add);
      }
      byte[] configDocument =
          files
              .document(configName, ImageConfigReader.MAX_BYTES)
              .orElseThrow(() -> lacks(configName));
      Digest id = Digest.of(configDocument);
      checkName(configName, id);
      ArchivedImage known = images.get(id);
      if (known != null) {
        known.tags().addAll(tags);
      } else if (!namesOnly) {
        List<String> names = JsonDocuments.texts(node, "Layers", what);
        add(docker(id, configDocument, names, tags));
      }
    }
  }

  private ArchivedImage docker(Digest id, byte[] document, List<String> names, Set<String> tags) {
    ImageConfig config = ImageConfigReader.read(document);
    checkCount(config, names.size());
    List<LayerInput> layers = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Path file = required(names.get(i));
      Digest diffId = config.diffIds().get(i);
      layers.add(
          new LayerInput(
              diffId,
              Optional.empty(),
              size(file),
              "layer " + diffId,
              () -> Files.newInputStream(file)));
    }
    return new ArchivedImage(id, config, document, layers, tags);
  }

  private void add(ArchivedImage image) {
    Platform platform =
        new Platform("linux", image.config().architecture(), image.config().variant());
    if (!platform.architecture().isEmpty() && !Platform.current().runs(platform)) {
      skipped.add(
          PeapodException.notFound(
              "the archive's image is for " + platform + ", not for " + Platform.current()));
      return;
    }
    ArchivedImage known = images.putIfAbsent(image.id(), image);
    if (known != null) {
      known.tags().addAll(image.tags());
    }
  }

  private ManifestDocument manifest(Descriptor descriptor) {
    byte[] document = blob(descriptor, ManifestReader.MAX_BYTES, "manifest");
    return ManifestReader.read(document, descriptor.mediaType());
  }

  private byte[] blob(Descriptor descriptor, int maxBytes, String what) {
    String name = path(descriptor.digest());
    byte[] content = files.document(name, maxBytes).orElseThrow(() -> lacks(name));
    if (!descriptor.digest().matches(content)) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "the archive's "
              + what
              + " "
              + name
              + " does not have the digest that it is named after");
    }
    return content;
  }

  private Path required(String name) {
    return files.file(name).orElseThrow(() -> lacks(name));
  }

  private static PeapodException lacks(String name) {
    return PeapodException.invalid("the archive is incomplete: it lacks \"" + name + "\"");
  }

  private static void checkCount(ImageConfig config, int layers) {
    if (config.diffIds().size() != layers) {
      throw PeapodException.invalid(
          "the image has "
              + layers
              + " layers, but its configuration speaks of "
              + config.diffIds().size());
    }
  }

  /// Configurations in such archives are named after their digests.
  private static void checkName(String name, Digest id) {
    String base = name.substring(name.lastIndexOf('/') + 1).replaceFirst("\\.json$", "");
    if (base.matches("[0-9a-f]{64}") && !base.equals(id.hex())) {
      throw new PeapodException(
          Kind.FAILED_PRECONDITION,
          "the archive's image configuration "
              + name
              + " does not have the digest that it is named after");
    }
  }

  private static Set<String> names(Descriptor descriptor) {
    Set<String> names = new TreeSet<>();
    String full = descriptor.annotations().getOrDefault(IMAGE_NAME, "");
    String other = descriptor.annotations().getOrDefault(REF_NAME, "");
    if (!full.isEmpty()) {
      tag(full).ifPresent(names::add);
    } else if (other.indexOf(':') >= 0 || other.indexOf('/') >= 0) {
      // A bare tag, as skopeo writes for a layout, is not a name.
      tag(other).ifPresent(names::add);
    }
    return names;
  }

  private static Optional<String> tag(String text) {
    try {
      Reference reference = Reference.parse(text);
      return reference.tag().map(tag -> reference.name() + ":" + tag);
    } catch (PeapodException e) {
      // An image without a usable name is still an image.
      return Optional.empty();
    }
  }

  private static String path(Digest digest) {
    return "blobs/" + digest.algorithm() + "/" + digest.hex();
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return -1;
    }
  }
}
