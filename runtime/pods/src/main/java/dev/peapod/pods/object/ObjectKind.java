package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// The kinds of documents that are kept beside pods: what pods refer to, services, by whose names
/// they are found, and workloads, of which pods are made.
public enum ObjectKind {
  CONFIG_MAP("v1", "ConfigMap", "configmap", ConfigMap.class, List.of("configmaps", "cm")),
  SECRET("v1", "Secret", "secret", Secret.class, List.of("secrets")),
  CLAIM(
      "v1",
      "PersistentVolumeClaim",
      "persistentvolumeclaim",
      PersistentVolumeClaim.class,
      List.of("persistentvolumeclaims", "pvc")),
  SERVICE("v1", "Service", "service", Service.class, List.of("services", "svc")),
  // Controllers look at them in this order: what has pods comes before what has it for its own.
  REPLICA_SET(
      "apps/v1", "ReplicaSet", "replicaset", ReplicaSet.class, List.of("replicasets", "rs")),
  DEPLOYMENT(
      "apps/v1", "Deployment", "deployment", Deployment.class, List.of("deployments", "deploy")),
  DAEMON_SET("apps/v1", "DaemonSet", "daemonset", DaemonSet.class, List.of("daemonsets", "ds")),
  JOB("batch/v1", "Job", "job", Job.class, List.of("jobs")),
  CRON_JOB("batch/v1", "CronJob", "cronjob", CronJob.class, List.of("cronjobs", "cj"));

  private static final Set<ObjectKind> WORKLOADS =
      EnumSet.of(DEPLOYMENT, REPLICA_SET, DAEMON_SET, JOB, CRON_JOB);

  private final String version;
  private final String kind;
  private final String word;
  private final Class<? extends HasMetadata> type;
  private final List<String> otherWords;

  ObjectKind(
      String version,
      String kind,
      String word,
      Class<? extends HasMetadata> type,
      List<String> otherWords) {
    this.version = version;
    this.kind = kind;
    this.word = word;
    this.type = type;
    this.otherWords = otherWords;
  }

  /// The API group and version of its manifests, such as `apps/v1`.
  public String version() {
    return version;
  }

  /// Whether pods are made of it.
  public boolean isWorkload() {
    return WORKLOADS.contains(this);
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
