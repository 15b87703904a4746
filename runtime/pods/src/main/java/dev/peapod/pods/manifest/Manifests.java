package dev.peapod.pods.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads manifests. Thread-safe.
public final class Manifests {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final boolean shareProcessNamespace;

  /// @param shareProcessNamespace what a manifest means that does not say it
  public Manifests(boolean shareProcessNamespace) {
    this.shareProcessNamespace = shareProcessNamespace;
  }

  /// All pods of all sources, in order.
  ///
  /// @param defaultNamespace for pods that name none
  /// @throws PeapodException INVALID with one line for every error of every source
  public List<PodManifest> read(List<ManifestSource> sources, String defaultNamespace) {
    Problems problems = new Problems();
    List<PodManifest> pods = new ArrayList<>();
    Map<String, String> seen = new HashMap<>();
    for (ManifestSource source : sources) {
      List<Node> documents = Documents.read(source.name(), source.content(), problems);
      if (documents.isEmpty() && problems.isEmpty()) {
        problems.add(new ManifestError(source.name(), Position.START, "", "has no objects in it"));
      }
      for (Node document : documents) {
        Schema schema = new Schema(source.name(), problems);
        int before = problems.count();
        Pod pod = bind(document, source.name(), schema, problems);
        if (pod == null || problems.count() > before) {
          continue;
        }
        Defaults.apply(pod, defaultNamespace, shareProcessNamespace);
        Rules rules = new Rules(source.name(), schema, problems);
        new PodValidation(rules).validate(pod);
        PodManifest manifest = new PodManifest(source.name(), pod, rules.warnings());
        String key = manifest.namespace() + "/" + manifest.name();
        String where = source.name() + ":" + document.position().line();
        String other = seen.putIfAbsent(key, where);
        if (other != null) {
          rules.error("metadata.name", "pod " + key + " is given twice, first in " + other);
        }
        pods.add(manifest);
      }
    }
    problems.throwIfAny();
    return List.copyOf(pods);
  }

  private static @org.jspecify.annotations.Nullable Pod bind(
      Node document, String source, Schema schema, Problems problems) {
    if (!(document instanceof Node.Mapping mapping)) {
      problems.add(
          new ManifestError(
              source,
              document.position(),
              "",
              "must be a Kubernetes object, not " + document.type()));
      return null;
    }
    String kind = text(mapping, "kind", source, problems);
    String version = text(mapping, "apiVersion", source, problems);
    if (kind.isEmpty() || version.isEmpty()) {
      return null;
    }
    if (!kind.equals("Pod") || !version.equals("v1")) {
      problems.add(
          new ManifestError(
              source,
              document.position(),
              "kind",
              "\""
                  + Words.cut(version)
                  + ", Kind="
                  + Words.cut(kind)
                  + "\" is not supported by this version of Peapod: it runs v1 Pods"));
      return null;
    }
    ObjectNode json = schema.check(mapping, Pod.class);
    if (problems.isEmpty() || json.has("spec")) {
      try {
        return MAPPER.treeToValue(json, Pod.class);
      } catch (JsonProcessingException e) {
        problems.add(
            new ManifestError(
                source, document.position(), "", "can not be read: " + e.getOriginalMessage()));
      }
    }
    return null;
  }

  private static String text(Node.Mapping mapping, String field, String source, Problems problems) {
    Node.Entry entry = mapping.entries().get(field);
    if (entry == null || entry.value().isNull()) {
      problems.add(new ManifestError(source, mapping.position(), field, "Required value"));
      return "";
    }
    if (entry.value() instanceof Node.Scalar scalar
        && scalar.kind() == Node.Scalar.Kind.STRING
        && !scalar.text().isEmpty()) {
      return scalar.text();
    }
    problems.add(
        new ManifestError(
            source, entry.value().position(), field, "Invalid value: must be a string"));
    return "";
  }
}
