package dev.peapod.pods.volume;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.object.ObjectStore;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeFile;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.ProjectedVolumeSource;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What is in a volume that is made of documents: files by their path in it.
final class Content {
  /// A file's bytes and permission bits.
  record File(byte[] bytes, int mode) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof File file
          && mode == file.mode
          && java.util.Arrays.equals(bytes, file.bytes);
    }

    @Override
    public int hashCode() {
      return java.util.Arrays.hashCode(bytes) * 31 + mode;
    }
  }

  private static final int MODE = 0644;

  private final String namespace;
  private final ObjectStore objects;
  private final PodFields fields;
  private final SortedMap<String, File> files = new TreeMap<>();

  private Content(String namespace, ObjectStore objects, PodFields fields) {
    this.namespace = namespace;
    this.objects = objects;
    this.fields = fields;
  }

  static boolean isOf(Volume volume) {
    return volume.getConfigMap() != null
        || volume.getSecret() != null
        || volume.getDownwardAPI() != null
        || volume.getProjected() != null;
  }

  /// Whether it is kept in memory alone.
  static boolean isSecret(Volume volume) {
    return volume.getSecret() != null
        || (volume.getProjected() != null
            && volume.getProjected().getSources().stream().anyMatch(s -> s.getSecret() != null));
  }

  /// @throws PeapodException FAILED_PRECONDITION, in kubelet's words, if a document or key is
  /// missing that is not optional
  static SortedMap<String, File> of(
      Volume volume, String namespace, ObjectStore objects, PodFields fields) {
    Content content = new Content(namespace, objects, fields);
    if (volume.getConfigMap() != null) {
      var source = volume.getConfigMap();
      content.configMap(
          source.getName(), source.getItems(), source.getOptional(), mode(source.getDefaultMode()));
    } else if (volume.getSecret() != null) {
      var source = volume.getSecret();
      content.secret(
          source.getSecretName(),
          source.getItems(),
          source.getOptional(),
          mode(source.getDefaultMode()));
    } else if (volume.getDownwardAPI() != null) {
      var source = volume.getDownwardAPI();
      content.downward(source.getItems(), mode(source.getDefaultMode()));
    } else {
      content.projected(volume.getProjected());
    }
    return content.files;
  }

  private void projected(ProjectedVolumeSource projected) {
    int mode = mode(projected.getDefaultMode());
    for (VolumeProjection source : projected.getSources()) {
      if (source.getConfigMap() != null) {
        var map = source.getConfigMap();
        configMap(map.getName(), map.getItems(), map.getOptional(), mode);
      } else if (source.getSecret() != null) {
        var secret = source.getSecret();
        secret(secret.getName(), secret.getItems(), secret.getOptional(), mode);
      } else {
        downward(source.getDownwardAPI().getItems(), mode);
      }
    }
  }

  private void configMap(String name, List<KeyToPath> items, @Nullable Boolean optional, int mode) {
    ConfigMap map = objects.configMap(namespace, name).orElse(null);
    Map<String, byte[]> data = new HashMap<>();
    if (map == null) {
      require(optional, "configmap \"" + name + "\" not found");
    } else {
      if (map.getData() != null) {
        map.getData()
            .forEach((key, value) -> data.put(key, value.getBytes(StandardCharsets.UTF_8)));
      }
      if (map.getBinaryData() != null) {
        map.getBinaryData()
            .forEach((key, value) -> data.put(key, Base64.getDecoder().decode(value)));
      }
    }
    put(data, items, optional, mode, map != null);
  }

  private void secret(String name, List<KeyToPath> items, @Nullable Boolean optional, int mode) {
    Secret secret = objects.secret(namespace, name).orElse(null);
    Map<String, byte[]> data = new HashMap<>();
    if (secret == null) {
      require(optional, "secret \"" + name + "\" not found");
    } else if (secret.getData() != null) {
      secret.getData().forEach((key, value) -> data.put(key, Base64.getDecoder().decode(value)));
    }
    put(data, items, optional, mode, secret != null);
  }

  private void put(
      Map<String, byte[]> data,
      List<KeyToPath> items,
      @Nullable Boolean optional,
      int mode,
      boolean present) {
    if (items.isEmpty()) {
      data.forEach((key, bytes) -> files.put(key, new File(bytes, mode)));
      return;
    }
    for (KeyToPath item : items) {
      byte[] bytes = data.get(item.getKey());
      if (bytes == null) {
        if (present) {
          require(optional, "references non-existent config key: " + item.getKey());
        }
        continue;
      }
      files.put(item.getPath(), new File(bytes, item.getMode() == null ? mode : item.getMode()));
    }
  }

  private void downward(List<DownwardAPIVolumeFile> items, int mode) {
    for (DownwardAPIVolumeFile item : items) {
      String value =
          item.getFieldRef() != null
              ? fields.field(item.getFieldRef().getFieldPath())
              : fields.resource(item.getResourceFieldRef(), null);
      files.put(
          item.getPath(),
          new File(
              value.getBytes(StandardCharsets.UTF_8),
              item.getMode() == null ? mode : item.getMode()));
    }
  }

  private static int mode(@Nullable Integer mode) {
    return mode == null ? MODE : mode;
  }

  private static void require(@Nullable Boolean optional, String message) {
    if (!Boolean.TRUE.equals(optional)) {
      throw new PeapodException(Kind.FAILED_PRECONDITION, message);
    }
  }
}
