package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The kinds of documents that are kept beside pods; all are `v1`.
public enum ObjectKind {
  CONFIG_MAP("ConfigMap", "configmap", ConfigMap.class, List.of("configmaps", "cm")),
  SECRET("Secret", "secret", Secret.class, List.of("secrets")),
  CLAIM(
      "PersistentVolumeClaim",
      "persistentvolumeclaim",
      PersistentVolumeClaim.class,
      List.of("persistentvolumeclaims", "pvc"));

  private final String kind;
  private final String word;
  private final Class<? extends HasMetadata> type;
  private final List<String> otherWords;

  ObjectKind(String kind, String word, Class<? extends HasMetadata> type, List<String> otherWords) {
    this.kind = kind;
    this.word = word;
    this.type = type;
    this.otherWords = otherWords;
  }

  /// As a manifest calls it.
  public String kind() {
    return kind;
  }

  /// As messages and names (`configmap/web`) call it.
  public String word() {
    return word;
  }

  /// Its plural and its short names, the plural first.
  public List<String> otherWords() {
    return otherWords;
  }

  public Class<? extends HasMetadata> type() {
    return type;
  }

  /// The kind that a manifest means.
  public static Optional<ObjectKind> ofKind(String kind) {
    return Arrays.stream(values()).filter(k -> k.kind.equals(kind)).findFirst();
  }

  /// The kind that a person means: singular, plural or short.
  public static Optional<ObjectKind> ofWord(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(k -> k.word.equals(lower) || k.otherWords.contains(lower))
        .findFirst();
  }
}
