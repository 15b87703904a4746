package dev.peapod.image.store;

import dev.peapod.image.Digest;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// All that the store knows, at one moment. Immutable.
///
/// @param layers by directory
/// @param images by id
/// @param owners by name
public record StoreState(
    Map<String, LayerRecord> layers,
    Map<String, ImageRecord> images,
    Map<String, OwnerRecord> owners) {
  /// A store with nothing in it.
  public static final StoreState EMPTY = new StoreState(Map.of(), Map.of(), Map.of());

  public StoreState {
    layers = Map.copyOf(layers);
    images = Map.copyOf(images);
    owners = Map.copyOf(owners);
  }

  /// What an owner has.
  public OwnerRecord owner(String name) {
    return owners.getOrDefault(name, OwnerRecord.EMPTY);
  }

  /// The layer of this content.
  public Optional<LayerRecord> layer(Digest diffId) {
    return layers.values().stream().filter(l -> l.diffId().equals(diffId)).findFirst();
  }

  /// This, with an image and its layers.
  public StoreState with(ImageRecord image, List<LayerRecord> itsLayers) {
    Map<String, LayerRecord> allLayers = new HashMap<>(layers);
    itsLayers.forEach(layer -> allLayers.put(layer.directory(), layer));
    Map<String, ImageRecord> allImages = new HashMap<>(images);
    allImages.put(image.id(), image);
    return new StoreState(allLayers, allImages, owners);
  }

  /// This, with another record of an owner.
  public StoreState with(String owner, OwnerRecord record) {
    Map<String, OwnerRecord> all = new HashMap<>(owners);
    all.put(owner, record);
    return new StoreState(layers, images, all);
  }

  /// This, without the images that no owner has and that are not held, and without the layers that
  /// neither the remaining images have nor are pinned; itself if there are none.
  public StoreState collected(Collection<String> heldImages, Collection<String> pinnedLayers) {
    Set<String> wanted = new HashSet<>(heldImages);
    owners.values().forEach(owner -> wanted.addAll(owner.images()));
    Map<String, ImageRecord> keptImages = new HashMap<>(images);
    boolean changed = keptImages.keySet().retainAll(wanted);
    Set<String> used = new HashSet<>(pinnedLayers);
    keptImages.values().forEach(image -> used.addAll(image.layers()));
    Map<String, LayerRecord> keptLayers = new HashMap<>(layers);
    changed |= keptLayers.keySet().retainAll(used);
    return changed ? new StoreState(keptLayers, keptImages, owners) : this;
  }
}
