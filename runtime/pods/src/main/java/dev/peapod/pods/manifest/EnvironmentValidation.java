package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' API server checks of environment variables and of the downward API's selectors.
final class EnvironmentValidation {
  private static final Set<String> RESOURCES =
      Set.of("limits.cpu", "limits.memory", "requests.cpu", "requests.memory");
  private static final Set<String> CPU_DIVISORS = Set.of("1", "1m", "0");
  private static final Set<String> MEMORY_DIVISORS =
      Set.of(
          "0", "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei");

  private final Rules rules;

  EnvironmentValidation(Rules rules) {
    this.rules = rules;
  }

  void validate(String path, Container container) {
    List<EnvVar> variables = container.getEnv();
    for (int i = 0; i < variables.size(); i++) {
      EnvVar variable = variables.get(i);
      String at = path + ".env[" + i + "]";
      if (rules.required(at + ".name", variable.getName())) {
        rules.environmentName(at + ".name", variable.getName());
      }
      if (variable.getValue() != null) {
        rules.noNul(at + ".value", variable.getValue());
      }
      if (variable.getValueFrom() != null) {
        if (variable.getValue() != null && !variable.getValue().isEmpty()) {
          rules.invalid(at + ".valueFrom", "", "may not be specified when `value` is not empty");
        }
        from(at + ".valueFrom", variable.getValueFrom());
      }
    }
    for (int i = 0; i < container.getEnvFrom().size(); i++) {
      all(path + ".envFrom[" + i + "]", container.getEnvFrom().get(i));
    }
  }

  private void from(String path, EnvVarSource source) {
    long sources =
        Stream.of(
                source.getFieldRef(),
                source.getResourceFieldRef(),
                source.getConfigMapKeyRef(),
                source.getSecretKeyRef())
            .filter(s -> s != null)
            .count();
    if (sources == 0) {
      rules.invalid(
          path,
          "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or"
              + " `secretKeyRef`");
    } else if (sources > 1) {
      rules.invalid(path, "", "may not have more than one field specified at a time");
    }
    if (source.getFieldRef() != null) {
      String field = source.getFieldRef().getFieldPath();
      if (rules.required(path + ".fieldRef.fieldPath", field) && !FieldPaths.isSupported(field)) {
        rules.invalid(
            path + ".fieldRef.fieldPath",
            field,
            "error converting fieldPath: field label not supported: " + Words.cut(field));
      }
    }
    if (source.getResourceFieldRef() != null) {
      resource(path + ".resourceFieldRef", source.getResourceFieldRef(), false);
    }
    if (source.getConfigMapKeyRef() != null) {
      key(
          path + ".configMapKeyRef",
          source.getConfigMapKeyRef().getName(),
          source.getConfigMapKeyRef().getKey());
    }
    if (source.getSecretKeyRef() != null) {
      key(
          path + ".secretKeyRef",
          source.getSecretKeyRef().getName(),
          source.getSecretKeyRef().getKey());
    }
  }

  private void key(String path, @Nullable String name, @Nullable String key) {
    if (rules.required(path + ".name", name) && name != null) {
      rules.subdomain(path + ".name", name);
    }
    rules.required(path + ".key", key);
  }

  private void all(String path, EnvFromSource source) {
    if (source.getPrefix() != null && !source.getPrefix().isEmpty()) {
      rules.environmentName(path + ".prefix", source.getPrefix());
    }
    boolean map = source.getConfigMapRef() != null;
    boolean secret = source.getSecretRef() != null;
    if (!map && !secret) {
      rules.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (map && secret) {
      rules.invalid(path, "", "may not have more than one field specified at a time");
    } else if (map) {
      name(path + ".configMapRef.name", source.getConfigMapRef().getName());
    } else {
      name(path + ".secretRef.name", source.getSecretRef().getName());
    }
  }

  private void name(String path, @Nullable String name) {
    if (rules.required(path, name) && name != null) {
      rules.subdomain(path, name);
    }
  }

  /// @param volume whether the selector stands in a volume, where it must name its container
  void resource(String path, ResourceFieldSelector selector, boolean volume) {
    if (volume) {
      rules.required(path + ".containerName", selector.getContainerName());
    }
    if (!rules.required(path + ".resource", selector.getResource())) {
      return;
    }
    rules.oneOf(path + ".resource", selector.getResource(), RESOURCES);
    if (selector.getDivisor() != null && RESOURCES.contains(selector.getResource())) {
      String format = selector.getDivisor().getFormat();
      String divisor = selector.getDivisor().getAmount() + (format == null ? "" : format);
      boolean cpu = selector.getResource().endsWith("cpu");
      if (!(cpu ? CPU_DIVISORS : MEMORY_DIVISORS).contains(divisor)) {
        rules.invalid(
            path + ".divisor",
            divisor,
            cpu
                ? "only divisor's values 1m and 1 are supported with the cpu resource"
                : "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
                    + " are supported with the memory resource");
      }
    }
  }
}
