package dev.peapod.pods.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.error.PeapodException;
import dev.peapod.pods.object.ObjectKey;
import dev.peapod.pods.object.ObjectKind;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads manifests. Thread-safe.
public final class Manifests {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final boolean shareProcessNamespace;

  /// @param shareProcessNamespace what a manifest means that does not say it
  public Manifests(boolean shareProcessNamespace) {
    this.shareProcessNamespace = shareProcessNamespace;
  }

  /// All documents of all sources, in order; lists are taken apart.
  ///
  /// @param defaultNamespace for documents that name none
  /// @throws PeapodException INVALID with one line for every error of every source
  public List<Manifest> read(List<ManifestSource> sources, String defaultNamespace) {
    Problems problems = new Problems();
    List<Manifest> manifests = new ArrayList<>();
    Map<String, String> seen = new HashMap<>();
    for (ManifestSource source : sources) {
      List<Node> documents = Documents.read(source.name(), source.content(), problems);
      if (documents.isEmpty() && problems.isEmpty()) {
        problems.add(new ManifestError(source.name(), Position.START, "", "has no objects in it"));
      }
      for (Node document : apart(documents, source.name(), problems)) {
        int before = problems.count();
        Schema schema = new Schema(source.name(), problems);
        HasMetadata object = bind(document, source.name(), schema, problems);
        if (object == null || problems.count() > before) {
          continue;
        }
        Rules rules = new Rules(source.name(), schema, problems);
        Manifest manifest = check(source.name(), object, rules, defaultNamespace);
        String key =
            manifest.kind().toLowerCase(Locale.ROOT)
                + " "
                + manifest.namespace()
                + "/"
                + manifest.name();
        String where = source.name() + ":" + document.position().line();
        String other = seen.putIfAbsent(key, where);
        if (other != null) {
          rules.error("metadata.name", key + " is given twice, first in " + other);
        }
        manifests.add(manifest);
      }
    }
    problems.throwIfAny();
    return List.copyOf(manifests);
  }

  private Manifest check(String source, HasMetadata object, Rules rules, String defaultNamespace) {
    if (object instanceof Pod pod) {
      Defaults.apply(pod, defaultNamespace, shareProcessNamespace);
      new PodValidation(rules).validate(pod);
      return new PodManifest(source, pod, rules.warnings());
    }
    Defaults.apply(object, defaultNamespace);
    if (ObjectKey.of(object).kind().isWorkload()) {
      new WorkloadDefaults(shareProcessNamespace).apply(object);
      new WorkloadValidation(rules).validate(object);
      return new ObjectManifest(source, object, rules.warnings());
    }
    if (object instanceof Service service) {
      new ServiceValidation(rules).validate(service);
      Defaults.headless(service.getSpec());
    } else {
      new ObjectValidation(rules).validate(object);
    }
    return new ObjectManifest(source, object, rules.warnings());
  }

  /// What `kubectl get -o yaml` prints of several objects is one list of them.
  private static List<Node> apart(List<Node> documents, String source, Problems problems) {
    List<Node> result = new ArrayList<>();
    for (Node document : documents) {
      if (document instanceof Node.Mapping mapping
          && mapping.entries().get("kind") instanceof Node.Entry kind
          && kind.value() instanceof Node.Scalar word
          && word.text().equals("List")
          && mapping.entries().get("items") instanceof Node.Entry items) {
        if (items.value() instanceof Node.Sequence sequence) {
          result.addAll(sequence.items());
        } else {
          problems.add(
              new ManifestError(
                  source, items.keyPosition(), "items", "Invalid value: must be of type array"));
        }
      } else {
        result.add(document);
      }
    }
    return result;
  }

  private static @Nullable HasMetadata bind(
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
    Class<? extends HasMetadata> type =
        kind.equals("Pod") && version.equals("v1")
            ? Pod.class
            : ObjectKind.ofKind(kind)
                .filter(known -> known.version().equals(version))
                .map(ObjectKind::type)
                .orElse(null);
    if (type == null) {
      problems.add(
          new ManifestError(
              source,
              document.position(),
              "kind",
              "\""
                  + Words.cut(version)
                  + ", Kind="
                  + Words.cut(kind)
                  + "\" is not supported by this version of Peapod: it knows v1 Pod, ConfigMap,"
                  + " Secret, PersistentVolumeClaim and Service, apps/v1 Deployment, ReplicaSet"
                  + " and DaemonSet, batch/v1 Job and CronJob"));
      return null;
    }
    int before = problems.count();
    ObjectNode json = schema.check(mapping, type);
    if (problems.count() > before && !json.has("spec")) {
      return null;
    }
    try {
      return MAPPER.treeToValue(json, type);
    } catch (JsonProcessingException e) {
      problems.add(
          new ManifestError(
              source, document.position(), "", "can not be read: " + e.getOriginalMessage()));
      return null;
    }
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
