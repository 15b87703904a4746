package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Capabilities;
import io.fabric8.kubernetes.api.model.ConfigMapVolumeSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeFile;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeSource;
import io.fabric8.kubernetes.api.model.EmptyDirVolumeSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.LifecycleHandler;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimSpec;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProjectedVolumeSource;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.SecretVolumeSource;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.VolumeResourceRequirements;
import io.fabric8.kubernetes.api.model.apps.DaemonSetSpec;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which of Kubernetes' fields this version acts on. What is not here is refused by name, never
/// ignored.
final class Support {
  private static final String ONE_MACHINE = "Peapod runs every pod on this one machine";
  private static final String ONE_MACHINE_VOLUMES =
      "volumes are on this one machine: emptyDir, hostPath, persistentVolumeClaim, image, or made"
          + " of configMap, secret, downwardAPI, projected";
  private static final String A_DIRECTORY = "a claim is a new directory on this machine";
  private static final String ROOT_OWNS = "files of volumes belong to root and to fsGroup";
  private static final String NO_API = "there is no Kubernetes API server here";

  /// Accepted, so that what `get -o yaml` prints can be applied, and dropped.
  private static final Set<String> SERVER_SET =
      Set.of(
          "creationTimestamp",
          "generation",
          "managedFields",
          "ownerReferences",
          "resourceVersion",
          "selfLink",
          "uid");

  /// Types that are missing here are supported as a whole.
  private static final Map<Class<?>, Set<String>> SUPPORTED =
      Map.ofEntries(
          Map.entry(Pod.class, Set.of("apiVersion", "kind", "metadata", "spec", "status")),
          Map.entry(
              DaemonSetSpec.class,
              Set.of("minReadySeconds", "selector", "template", "updateStrategy")),
          Map.entry(
              JobSpec.class,
              Set.of(
                  "activeDeadlineSeconds",
                  "backoffLimit",
                  "backoffLimitPerIndex",
                  "completionMode",
                  "completions",
                  "maxFailedIndexes",
                  "parallelism",
                  "podFailurePolicy",
                  "podReplacementPolicy",
                  "successPolicy",
                  "suspend",
                  "template",
                  "ttlSecondsAfterFinished")),
          Map.entry(ObjectMeta.class, Set.of("name", "namespace", "labels", "annotations")),
          Map.entry(
              PodSpec.class,
              Set.of(
                  "activeDeadlineSeconds",
                  "automountServiceAccountToken",
                  "containers",
                  "dnsConfig",
                  "dnsPolicy",
                  "enableServiceLinks",
                  "hostAliases",
                  "hostIPC",
                  "hostNetwork",
                  "hostPID",
                  "hostUsers",
                  "hostname",
                  "initContainers",
                  "os",
                  "resources",
                  "restartPolicy",
                  "schedulerName",
                  "securityContext",
                  "setHostnameAsFQDN",
                  "shareProcessNamespace",
                  "subdomain",
                  "terminationGracePeriodSeconds",
                  "volumes")),
          Map.entry(
              Container.class,
              Set.of(
                  "args",
                  "command",
                  "env",
                  "envFrom",
                  "image",
                  "imagePullPolicy",
                  "lifecycle",
                  "livenessProbe",
                  "name",
                  "ports",
                  "readinessProbe",
                  "resizePolicy",
                  "resources",
                  "restartPolicy",
                  "restartPolicyRules",
                  "securityContext",
                  "startupProbe",
                  "stdin",
                  "stdinOnce",
                  "terminationMessagePath",
                  "terminationMessagePolicy",
                  "tty",
                  "volumeMounts",
                  "workingDir")),
          Map.entry(EnvVar.class, Set.of("name", "value", "valueFrom")),
          Map.entry(
              EnvVarSource.class,
              Set.of("configMapKeyRef", "fieldRef", "resourceFieldRef", "secretKeyRef")),
          Map.entry(
              ContainerPort.class,
              Set.of("containerPort", "hostIP", "hostPort", "name", "protocol")),
          Map.entry(ResourceRequirements.class, Set.of("limits", "requests")),
          Map.entry(
              Probe.class,
              Set.of(
                  "exec",
                  "failureThreshold",
                  "grpc",
                  "httpGet",
                  "initialDelaySeconds",
                  "periodSeconds",
                  "successThreshold",
                  "tcpSocket",
                  "terminationGracePeriodSeconds",
                  "timeoutSeconds")),
          Map.entry(
              SecurityContext.class,
              Set.of(
                  "allowPrivilegeEscalation",
                  "appArmorProfile",
                  "capabilities",
                  "privileged",
                  "procMount",
                  "readOnlyRootFilesystem",
                  "runAsGroup",
                  "runAsNonRoot",
                  "runAsUser",
                  "seLinuxOptions",
                  "seccompProfile")),
          Map.entry(
              PodSecurityContext.class,
              Set.of(
                  "appArmorProfile",
                  "fsGroup",
                  "fsGroupChangePolicy",
                  "runAsGroup",
                  "runAsNonRoot",
                  "runAsUser",
                  "seLinuxChangePolicy",
                  "seLinuxOptions",
                  "seccompProfile",
                  "supplementalGroups",
                  "supplementalGroupsPolicy",
                  "sysctls")),
          Map.entry(LifecycleHandler.class, Set.of("exec", "httpGet", "sleep")),
          Map.entry(Capabilities.class, Set.of("add", "drop")),
          Map.entry(
              Volume.class,
              Set.of(
                  "configMap",
                  "downwardAPI",
                  "emptyDir",
                  "hostPath",
                  "image",
                  "name",
                  "persistentVolumeClaim",
                  "projected",
                  "secret")),
          Map.entry(EmptyDirVolumeSource.class, Set.of("medium", "sizeLimit")),
          Map.entry(
              ConfigMapVolumeSource.class, Set.of("defaultMode", "items", "name", "optional")),
          Map.entry(
              SecretVolumeSource.class, Set.of("defaultMode", "items", "optional", "secretName")),
          Map.entry(DownwardAPIVolumeSource.class, Set.of("defaultMode", "items")),
          Map.entry(
              DownwardAPIVolumeFile.class, Set.of("fieldRef", "mode", "path", "resourceFieldRef")),
          Map.entry(ProjectedVolumeSource.class, Set.of("defaultMode", "sources")),
          Map.entry(VolumeProjection.class, Set.of("configMap", "downwardAPI", "secret")),
          Map.entry(KeyToPath.class, Set.of("key", "mode", "path")),
          Map.entry(
              VolumeMount.class,
              Set.of(
                  "mountPath",
                  "mountPropagation",
                  "name",
                  "readOnly",
                  "recursiveReadOnly",
                  "subPath",
                  "subPathExpr")),
          Map.entry(
              PersistentVolumeClaimSpec.class,
              Set.of("accessModes", "resources", "storageClassName", "volumeMode")),
          Map.entry(VolumeResourceRequirements.class, Set.of("requests")),
          Map.entry(
              ServiceSpec.class,
              Set.of(
                  "clusterIP",
                  "clusterIPs",
                  "externalName",
                  "internalTrafficPolicy",
                  "ipFamilies",
                  "ipFamilyPolicy",
                  "ports",
                  "publishNotReadyAddresses",
                  "selector",
                  "sessionAffinity",
                  "type")),
          Map.entry(
              ServicePort.class,
              Set.of("appProtocol", "name", "port", "protocol", "targetPort")));

  private static final Map<String, String> REASONS = reasons();

  private Support() {}

  /// Whether a server fills the field in, so that what a manifest says of it does not count.
  static boolean dropped(Class<?> type, String field) {
    return (type == ObjectMeta.class && SERVER_SET.contains(field))
        || (HasMetadata.class.isAssignableFrom(type) && field.equals("status"));
  }

  /// Why a field that Kubernetes knows is refused; empty if it is supported.
  static Optional<String> refusal(Class<?> type, String field) {
    Set<String> supported = SUPPORTED.get(type);
    if (supported == null || supported.contains(field)) {
      return Optional.empty();
    }
    String reason = REASONS.get(type.getSimpleName() + "." + field);
    if (reason == null && type == Volume.class) {
      reason = ONE_MACHINE_VOLUMES;
    }
    if (type == PodSpec.class && field.equals("ephemeralContainers")) {
      return Optional.of("Forbidden: cannot be set on create; `peapod debug` adds them to pods");
    }
    String refused = "is not supported by this version of Peapod";
    return Optional.of(reason == null ? refused : refused + ": " + reason);
  }

  private static Map<String, String> reasons() {
    Map<String, String> reasons = new HashMap<>();
    for (String field :
        Set.of(
            "affinity",
            "nodeName",
            "nodeSelector",
            "preemptionPolicy",
            "priority",
            "priorityClassName",
            "schedulingGates",
            "schedulingGroup",
            "tolerations",
            "topologySpreadConstraints",
            "evictionResponders",
            "overhead",
            "runtimeClassName")) {
      reasons.put("PodSpec." + field, ONE_MACHINE);
    }
    for (String field :
        Set.of("serviceAccount", "serviceAccountName", "readinessGates", "resourceClaims")) {
      reasons.put("PodSpec." + field, NO_API);
    }
    for (String field : Set.of("finalizers", "generateName")) {
      reasons.put("ObjectMeta." + field, NO_API);
    }
    reasons.put("PodSpec.imagePullSecrets", "registry credentials are the daemon's configuration");
    reasons.put("LifecycleHandler.tcpSocket", "Kubernetes itself has no such hook");
    reasons.put("EnvVarSource.fileKeyRef", "use configMapKeyRef or secretKeyRef");
    for (String field :
        Set.of(
            "KeyToPath.user",
            "DownwardAPIVolumeFile.user",
            "ConfigMapVolumeSource.defaultUser",
            "SecretVolumeSource.defaultUser",
            "DownwardAPIVolumeSource.defaultUser",
            "ProjectedVolumeSource.defaultUser")) {
      reasons.put(field, ROOT_OWNS);
    }
    for (String field : Set.of("clusterTrustBundle", "podCertificate", "serviceAccountToken")) {
      reasons.put("VolumeProjection." + field, NO_API);
    }
    for (String field :
        Set.of(
            "dataSource", "dataSourceRef", "selector", "volumeAttributesClassName", "volumeName")) {
      reasons.put("PersistentVolumeClaimSpec." + field, A_DIRECTORY);
    }
    reasons.put("VolumeResourceRequirements.limits", A_DIRECTORY);
    for (String field :
        Set.of(
            "ServiceSpec.allocateLoadBalancerNodePorts",
            "ServiceSpec.externalIPs",
            "ServiceSpec.externalTrafficPolicy",
            "ServiceSpec.healthCheckNodePort",
            "ServiceSpec.loadBalancerClass",
            "ServiceSpec.loadBalancerIP",
            "ServiceSpec.loadBalancerSourceRanges",
            "ServiceSpec.sessionAffinityConfig",
            "ServiceSpec.trafficDistribution",
            "ServicePort.nodePort")) {
      reasons.put(field, ServiceValidation.NO_PROXY);
    }
    reasons.put(
        "DaemonSetSpec.revisionHistoryLimit", "earlier templates of a DaemonSet are not kept");
    for (String field : Set.of("selector", "manualSelector")) {
      reasons.put("JobSpec." + field, "a job has the pods that it has made");
    }
    reasons.put("JobSpec.managedBy", "there is one controller of jobs here");
    reasons.put("JobSpec.scheduling", ONE_MACHINE);
    reasons.put("ObjectMeta.deletionTimestamp", "use `peapod delete`");
    reasons.put("ObjectMeta.deletionGracePeriodSeconds", "use `peapod delete`");
    reasons.put("PodSpec.hostnameOverride", "use hostname");
    reasons.put("Container.volumeDevices", "volumes are directories and files");
    reasons.put("ResourceRequirements.claims", NO_API);
    for (String type : Set.of("SecurityContext.", "PodSecurityContext.")) {
      reasons.put(type + "windowsOptions", "pods run on Linux");
    }
    reasons.put("VolumeMount.bindMountOptions", "the options are readOnly and mountPropagation");
    reasons.put("EmptyDirVolumeSource.mode", "an emptyDir can be written by all; use fsGroup");
    reasons.put("Volume.ephemeral", "use emptyDir, or a PersistentVolumeClaim of its own");
    return Map.copyOf(reasons);
  }
}
