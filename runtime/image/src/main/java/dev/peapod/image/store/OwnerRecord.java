package dev.peapod.image.store;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What one owner has.
///
/// @param images ids; those that have lost their names included
/// @param tags ids by `name:tag`
/// @param digests ids by `name@digest`
public record OwnerRecord(
    Set<String> images, Map<String, String> tags, Map<String, String> digests) {
  /// An owner of nothing.
  public static final OwnerRecord EMPTY = new OwnerRecord(Set.of(), Map.of(), Map.of());

  public OwnerRecord {
    images = Set.copyOf(images);
    tags = Map.copyOf(tags);
    digests = Map.copyOf(digests);
  }

  /// This, with an image and names for it; a name that another image had moves.
  public OwnerRecord with(String id, Iterable<String> newTags, Iterable<String> newDigests) {
    Set<String> allImages = new TreeSet<>(images);
    Map<String, String> allTags = new TreeMap<>(tags);
    Map<String, String> allDigests = new TreeMap<>(digests);
    allImages.add(id);
    newTags.forEach(tag -> allTags.put(tag, id));
    newDigests.forEach(digest -> allDigests.put(digest, id));
    return new OwnerRecord(allImages, allTags, allDigests);
  }

  /// This, without an image and its names.
  public OwnerRecord without(String id) {
    Set<String> allImages = new TreeSet<>(images);
    Map<String, String> allTags = new TreeMap<>(tags);
    Map<String, String> allDigests = new TreeMap<>(digests);
    allImages.remove(id);
    allTags.values().removeIf(id::equals);
    allDigests.values().removeIf(id::equals);
    return new OwnerRecord(allImages, allTags, allDigests);
  }
}
