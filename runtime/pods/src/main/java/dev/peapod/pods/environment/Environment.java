package dev.peapod.pods.environment;

import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectStore;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A container's environment variables, from its manifest and the documents that it refers to.
///
/// @param variables in the order in which they came to be
/// @param skipped keys of documents that can not be names of variables
public record Environment(Map<String, String> variables, List<String> skipped) {

  /// @throws PeapodException INVALID, in kubelet's words, if a document or key is missing that is
  /// not optional
  public static Environment of(
      String namespace, Container container, ObjectStore objects, PodFields fields) {
    Map<String, String> variables = new LinkedHashMap<>();
    List<String> skipped = new ArrayList<>();
    for (EnvFromSource source : container.getEnvFrom()) {
      String prefix = source.getPrefix() == null ? "" : source.getPrefix();
      all(namespace, source, objects)
          .forEach(
              (key, value) -> {
                String name = prefix + key;
                if (isName(name)) {
                  variables.put(name, value);
                } else {
                  skipped.add(name);
                }
              });
    }
    for (EnvVar variable : container.getEnv()) {
      if (variable.getValueFrom() == null) {
        String value = variable.getValue() == null ? "" : variable.getValue();
        // Only variables that stand before it count.
        variables.put(variable.getName(), Expansion.expand(value, variables));
      } else {
        value(namespace, variable.getValueFrom(), container, objects, fields)
            .ifPresent(value -> variables.put(variable.getName(), value));
      }
    }
    return new Environment(variables, skipped);
  }

  private static boolean isName(String name) {
    return !name.isEmpty() && name.chars().allMatch(c -> c > ' ' && c < 127 && c != '=');
  }

  private static Map<String, String> all(
      String namespace, EnvFromSource source, ObjectStore objects) {
    Map<String, String> result = new LinkedHashMap<>();
    if (source.getConfigMapRef() != null) {
      String name = source.getConfigMapRef().getName();
      Optional<ConfigMap> map = objects.configMap(namespace, name);
      require(map.isPresent(), source.getConfigMapRef().getOptional(), missing("configmap", name));
      map.map(ConfigMap::getData).ifPresent(result::putAll);
    } else {
      String name = source.getSecretRef().getName();
      Optional<Secret> secret = objects.secret(namespace, name);
      require(secret.isPresent(), source.getSecretRef().getOptional(), missing("secret", name));
      secret
          .map(Secret::getData)
          .ifPresent(data -> data.forEach((key, value) -> result.put(key, decoded(value))));
    }
    return result;
  }

  private static Optional<String> value(
      String namespace,
      EnvVarSource source,
      Container container,
      ObjectStore objects,
      PodFields fields) {
    if (source.getFieldRef() != null) {
      return Optional.of(fields.field(source.getFieldRef().getFieldPath()));
    }
    if (source.getResourceFieldRef() != null) {
      return Optional.of(fields.resource(source.getResourceFieldRef(), container));
    }
    if (source.getConfigMapKeyRef() != null) {
      var ref = source.getConfigMapKeyRef();
      Optional<ConfigMap> map = objects.configMap(namespace, ref.getName());
      require(map.isPresent(), ref.getOptional(), missing("configmap", ref.getName()));
      Optional<String> value = map.map(ConfigMap::getData).map(data -> data.get(ref.getKey()));
      require(
          value.isPresent(),
          ref.getOptional(),
          "couldn't find key " + ref.getKey() + " in ConfigMap " + namespace + "/" + ref.getName());
      return value;
    }
    var ref = source.getSecretKeyRef();
    Optional<Secret> secret = objects.secret(namespace, ref.getName());
    require(secret.isPresent(), ref.getOptional(), missing("secret", ref.getName()));
    Optional<String> value = secret.map(Secret::getData).map(data -> data.get(ref.getKey()));
    require(
        value.isPresent(),
        ref.getOptional(),
        "couldn't find key " + ref.getKey() + " in Secret " + namespace + "/" + ref.getName());
    return value.map(Environment::decoded);
  }

  private static String missing(String kind, String name) {
    return kind + " \"" + name + "\" not found";
  }

  private static void require(boolean found, @Nullable Boolean optional, String message) {
    if (!found && !Boolean.TRUE.equals(optional)) {
      throw PeapodException.invalid(message);
    }
  }

  private static String decoded(String base64) {
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
  }
}
