package dev.peapod.image;

import dev.peapod.error.PeapodException;
import dev.peapod.image.manifest.Descriptor;
import dev.peapod.image.manifest.ManifestDocument;
import dev.peapod.image.manifest.ManifestDocument.Index;
import dev.peapod.image.manifest.ManifestDocument.Manifest;
import dev.peapod.image.manifest.ManifestReader;
import dev.peapod.image.manifest.Platform;
import dev.peapod.image.registry.ImageSource;
import dev.peapod.image.store.LayerInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a registry has under a reference, for this machine, before any layer is fetched.
///
/// @param id digest of the configuration
/// @param document the configuration as it came
/// @param tags that the owner gets for it: none if it was asked for by digest
record PulledImage(
    Digest id,
    ImageConfig config,
    byte[] document,
    List<LayerInput> layers,
    List<String> tags,
    List<String> digests) {
  static PulledImage resolve(ImageSource source, Reference reference) {
    ImageSource.Fetched top = source.manifest();
    Manifest manifest = manifest(source, top);
    Descriptor descriptor = manifest.config();
    byte[] document =
        source.document(
            descriptor, ImageConfigReader.MAX_BYTES, "the configuration of image " + reference);
    ImageConfig config = ImageConfigReader.read(document);
    Platform made = new Platform("linux", config.architecture(), config.variant());
    if (!config.architecture().isEmpty() && !Platform.current().runs(made)) {
      throw PeapodException.notFound(
          "image " + reference + " is made for " + made + ", not for " + Platform.current());
    }
    Optional<String> tag =
        reference.digest().isPresent() ? Optional.empty() : Optional.of(reference.toString());
    return new PulledImage(
        descriptor.digest(),
        config,
        document,
        layers(source, manifest, config),
        tag.stream().toList(),
        List.of(reference.name() + "@" + top.digest()));
  }

  private static Manifest manifest(ImageSource source, ImageSource.Fetched top) {
    ManifestDocument document = ManifestReader.read(top.document(), top.contentType());
    if (document instanceof Index index) {
      Descriptor chosen = ManifestReader.choose(index, Platform.current());
      ImageSource.Fetched fetched = source.manifest(chosen.digest());
      document = ManifestReader.read(fetched.document(), fetched.contentType());
    }
    return switch (document) {
      case Manifest manifest -> manifest;
      case Index index -> throw PeapodException.invalid("the image's index leads to another index");
    };
  }

  private static List<LayerInput> layers(
      ImageSource source, Manifest manifest, ImageConfig config) {
    int count = manifest.layers().size();
    if (config.diffIds().size() != count) {
      throw PeapodException.invalid(
          "the image has "
              + count
              + " layers, but its configuration speaks of "
              + config.diffIds().size());
    }
    List<LayerInput> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Descriptor layer = manifest.layers().get(i);
      String what = "layer " + layer.digest();
      layers.add(
          new LayerInput(
              config.diffIds().get(i),
              Optional.of(layer.digest()),
              layer.size(),
              what,
              () -> source.blob(layer, what)));
    }
    return layers;
  }
}
