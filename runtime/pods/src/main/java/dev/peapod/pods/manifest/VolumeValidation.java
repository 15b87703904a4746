package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeFile;
import io.fabric8.kubernetes.api.model.EmptyDirVolumeSource;
import io.fabric8.kubernetes.api.model.HostPathVolumeSource;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.ProjectedVolumeSource;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of volumes and their mounts.
final class VolumeValidation {
  private static final Set<String> FIELDS =
      Set.of(
          "metadata.annotations",
          "metadata.labels",
          "metadata.name",
          "metadata.namespace",
          "metadata.uid");

  private final Rules rules;

  VolumeValidation(Rules rules) {
    this.rules = rules;
  }

  /// @return the volumes' names
  Set<String> volumes(List<Volume> volumes) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < volumes.size(); i++) {
      Volume volume = volumes.get(i);
      String path = "spec.volumes[" + i + "]";
      if (rules.required(path + ".name", volume.getName())) {
        rules.label(path + ".name", volume.getName());
        if (!names.add(volume.getName())) {
          rules.duplicate(path + ".name", volume.getName());
        }
      }
      source(path, volume);
    }
    return names;
  }

  private void source(String path, Volume volume) {
    Map<String, @Nullable Object> sources = new LinkedHashMap<>();
    sources.put("emptyDir", volume.getEmptyDir());
    sources.put("hostPath", volume.getHostPath());
    sources.put("secret", volume.getSecret());
    sources.put("persistentVolumeClaim", volume.getPersistentVolumeClaim());
    sources.put("downwardAPI", volume.getDownwardAPI());
    sources.put("configMap", volume.getConfigMap());
    sources.put("projected", volume.getProjected());
    sources.put("image", volume.getImage());
    sources.values().removeIf(source -> source == null);
    sources.keySet().stream()
        .skip(1)
        .forEach(
            more -> rules.forbidden(path + "." + more, "may not specify more than 1 volume type"));
    if (volume.getEmptyDir() != null) {
      emptyDir(path + ".emptyDir", volume.getEmptyDir());
    }
    if (volume.getHostPath() != null) {
      hostPath(path + ".hostPath", volume.getHostPath());
    }
    if (volume.getConfigMap() != null) {
      String at = path + ".configMap";
      name(at + ".name", volume.getConfigMap().getName());
      mode(at + ".defaultMode", volume.getConfigMap().getDefaultMode());
      items(at + ".items", volume.getConfigMap().getItems(), new HashSet<>());
    }
    if (volume.getSecret() != null) {
      String at = path + ".secret";
      name(at + ".secretName", volume.getSecret().getSecretName());
      mode(at + ".defaultMode", volume.getSecret().getDefaultMode());
      items(at + ".items", volume.getSecret().getItems(), new HashSet<>());
    }
    if (volume.getDownwardAPI() != null) {
      String at = path + ".downwardAPI";
      mode(at + ".defaultMode", volume.getDownwardAPI().getDefaultMode());
      downward(at + ".items", volume.getDownwardAPI().getItems(), new HashSet<>());
    }
    if (volume.getProjected() != null) {
      projected(path + ".projected", volume.getProjected());
    }
    if (volume.getImage() != null) {
      rules.required(path + ".image.reference", volume.getImage().getReference());
      rules.oneOf(
          path + ".image.pullPolicy",
          volume.getImage().getPullPolicy(),
          Set.of("Always", "IfNotPresent", "Never"));
    }
    if (volume.getPersistentVolumeClaim() != null) {
      name(
          path + ".persistentVolumeClaim.claimName",
          volume.getPersistentVolumeClaim().getClaimName());
    }
  }

  private void emptyDir(String path, EmptyDirVolumeSource source) {
    rules.oneOf(path + ".medium", source.getMedium(), Set.of("", "Memory"));
    if (source.getSizeLimit() != null && source.getSizeLimit().getAmount().startsWith("-")) {
      rules.forbidden(path + ".sizeLimit", "SizeLimit field must be a valid resource quantity");
    }
  }

  private void hostPath(String path, HostPathVolumeSource source) {
    String hostPath = source.getPath();
    if (rules.required(path + ".path", hostPath)) {
      rules.noNul(path + ".path", hostPath);
      if (!hostPath.startsWith("/")) {
        rules.invalid(path + ".path", hostPath, "must be an absolute path");
      } else if (List.of(hostPath.split("/")).contains("..")) {
        rules.invalid(path + ".path", hostPath, "must not contain '..'");
      }
    }
    rules.oneOf(
        path + ".type",
        source.getType(),
        Set.of(
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket"));
  }

  private void projected(String path, ProjectedVolumeSource projected) {
    mode(path + ".defaultMode", projected.getDefaultMode());
    Set<String> paths = new HashSet<>();
    for (int i = 0; i < projected.getSources().size(); i++) {
      VolumeProjection source = projected.getSources().get(i);
      String at = path + ".sources[" + i + "]";
      long kinds =
          Stream.of(source.getConfigMap(), source.getSecret(), source.getDownwardAPI())
              .filter(s -> s != null)
              .count();
      if (kinds == 0) {
        rules.error(at, "Required value: must specify a volume type");
      } else if (kinds > 1) {
        rules.forbidden(at, "may not specify more than 1 volume type per source");
      }
      if (source.getConfigMap() != null) {
        name(at + ".configMap.name", source.getConfigMap().getName());
        items(at + ".configMap.items", source.getConfigMap().getItems(), paths);
      }
      if (source.getSecret() != null) {
        name(at + ".secret.name", source.getSecret().getName());
        items(at + ".secret.items", source.getSecret().getItems(), paths);
      }
      if (source.getDownwardAPI() != null) {
        downward(at + ".downwardAPI.items", source.getDownwardAPI().getItems(), paths);
      }
    }
  }

  private void items(String path, List<KeyToPath> items, Set<String> paths) {
    for (int i = 0; i < items.size(); i++) {
      KeyToPath item = items.get(i);
      String at = path + "[" + i + "]";
      rules.required(at + ".key", item.getKey());
      file(at + ".path", item.getPath(), paths);
      mode(at + ".mode", item.getMode());
    }
  }

  private void downward(String path, List<DownwardAPIVolumeFile> items, Set<String> paths) {
    for (int i = 0; i < items.size(); i++) {
      DownwardAPIVolumeFile item = items.get(i);
      String at = path + "[" + i + "]";
      file(at + ".path", item.getPath(), paths);
      mode(at + ".mode", item.getMode());
      if (item.getFieldRef() != null && item.getResourceFieldRef() != null) {
        rules.invalid(
            at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
      } else if (item.getFieldRef() != null) {
        String field = item.getFieldRef().getFieldPath();
        if (rules.required(at + ".fieldRef.fieldPath", field) && !field.contains("[")) {
          rules.oneOf(at + ".fieldRef.fieldPath", field, FIELDS);
        } else if (field != null && !field.isEmpty() && !FieldPaths.isSupported(field)) {
          rules.invalid(at + ".fieldRef.fieldPath", field, "does not support subscript");
        }
      } else if (item.getResourceFieldRef() != null) {
        new EnvironmentValidation(rules)
            .resource(at + ".resourceFieldRef", item.getResourceFieldRef(), true);
      } else {
        rules.error(at, "Required value: one of fieldRef and resourceFieldRef is required");
      }
    }
  }

  private void file(String path, @Nullable String file, Set<String> paths) {
    if (!rules.required(path, file) || file == null) {
      return;
    }
    relative(path, file);
    if (file.startsWith("..")) {
      rules.invalid(path, file, "must not start with '..'");
    } else if (!paths.add(file)) {
      rules.invalid(path, file, "conflicting duplicate paths");
    }
  }

  private void relative(String path, String value) {
    rules.noNul(path, value);
    if (value.startsWith("/")) {
      rules.invalid(path, value, "must be a relative path");
    } else if (!value.startsWith("..") && List.of(value.split("/")).contains("..")) {
      rules.invalid(path, value, "must not contain '..'");
    }
  }

  private void mode(String path, @Nullable Integer mode) {
    if (mode != null && (mode < 0 || mode > 0777)) {
      rules.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
  }

  private void name(String path, @Nullable String name) {
    if (rules.required(path, name) && name != null) {
      rules.subdomain(path, name);
    }
  }

  void mounts(String path, Container container, Set<String> volumes) {
    Set<String> targets = new HashSet<>();
    List<VolumeMount> mounts = container.getVolumeMounts();
    for (int i = 0; i < mounts.size(); i++) {
      VolumeMount mount = mounts.get(i);
      String at = path + "[" + i + "]";
      if (rules.required(at + ".name", mount.getName()) && !volumes.contains(mount.getName())) {
        rules.error(at + ".name", "Not found: " + Words.quote(mount.getName()));
      }
      if (rules.required(at + ".mountPath", mount.getMountPath())) {
        target(at + ".mountPath", mount.getMountPath());
        if (!targets.add(mount.getMountPath())) {
          rules.invalid(at + ".mountPath", mount.getMountPath(), "must be unique");
        }
      }
      part(at, mount);
      boolean privileged =
          container.getSecurityContext() != null
              && Boolean.TRUE.equals(container.getSecurityContext().getPrivileged());
      if ("Bidirectional".equals(mount.getMountPropagation()) && !privileged) {
        rules.forbidden(
            at + ".mountPropagation",
            "Bidirectional mount propagation is available only to privileged containers");
      }
      rules.oneOf(
          at + ".mountPropagation",
          mount.getMountPropagation(),
          Set.of("None", "HostToContainer", "Bidirectional"));
      recursive(at + ".recursiveReadOnly", mount);
    }
  }

  private void target(String path, String target) {
    rules.noNul(path, target);
    if (!target.startsWith("/") || List.of(target.split("/")).contains("..")) {
      rules.invalid(path, target, "must be an absolute path without '..'");
    }
  }

  private void part(String path, VolumeMount mount) {
    String subPath = mount.getSubPath() == null ? "" : mount.getSubPath();
    String expression = mount.getSubPathExpr() == null ? "" : mount.getSubPathExpr();
    if (!subPath.isEmpty()) {
      part(path + ".subPath", subPath);
    }
    if (!expression.isEmpty()) {
      if (!subPath.isEmpty()) {
        rules.invalid(
            path + ".subPathExpr", expression, "subPathExpr and subPath are mutually exclusive");
      }
      part(path + ".subPathExpr", expression);
    }
  }

  private void part(String path, String value) {
    if (value.startsWith("..")) {
      rules.invalid(path, value, "must not contain '..'");
    } else {
      relative(path, value);
    }
  }

  private void recursive(String path, VolumeMount mount) {
    String value = mount.getRecursiveReadOnly();
    rules.oneOf(path, value, Set.of("Disabled", "IfPossible", "Enabled"));
    if (value == null || value.equals("Disabled")) {
      return;
    }
    if (!Boolean.TRUE.equals(mount.getReadOnly())) {
      rules.forbidden(path, "may only be specified when readOnly is true");
    }
    String propagation = mount.getMountPropagation();
    if (propagation != null && !propagation.equals("None")) {
      rules.forbidden(path, "may only be specified when mountPropagation is None or not specified");
    }
  }
}
