package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EmptyDirVolumeSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Lifecycle;
import io.fabric8.kubernetes.api.model.ObjectFieldSelector;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.api.model.Volume;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Fills in what a manifest leaves out, as the Kubernetes API server does.
final class Defaults {
  private Defaults() {}

  static void apply(Pod pod, String namespace, boolean shareProcessNamespace) {
    if (pod.getMetadata() == null) {
      pod.setMetadata(new ObjectMeta());
    }
    if (pod.getSpec() == null) {
      pod.setSpec(new PodSpec());
    }
    if (isEmpty(pod.getMetadata().getNamespace())) {
      pod.getMetadata().setNamespace(namespace);
    }
    spec(pod.getSpec(), shareProcessNamespace);
  }

  /// The defaults of what a pod is, be it in a template.
  static void spec(PodSpec spec, boolean shareProcessNamespace) {
    spec.setRestartPolicy(or(spec.getRestartPolicy(), "Always"));
    spec.setDnsPolicy(or(spec.getDnsPolicy(), "ClusterFirst"));
    spec.setTerminationGracePeriodSeconds(or(spec.getTerminationGracePeriodSeconds(), 30L));
    // Kubernetes' own default is false; shared namespaces are what Peapod is for. A pod that uses
    // the
    // host's process namespace has none to share.
    if (!Boolean.TRUE.equals(spec.getHostPID())) {
      spec.setShareProcessNamespace(or(spec.getShareProcessNamespace(), shareProcessNamespace));
    }
    spec.getVolumes().forEach(Defaults::volume);
    boolean hostNetwork = Boolean.TRUE.equals(spec.getHostNetwork());
    Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream())
        .forEach(container -> container(container, hostNetwork));
    podResources(spec);
  }

  /// Where the pod as a whole has limits, its requests are its containers' sum, or its limits if they ask for nothing;
  /// where it has requests alone, its limits are its containers' sum if each of them has one.
  private static void podResources(PodSpec spec) {
    ResourceRequirements resources = spec.getResources();
    if (resources == null) {
      return;
    }
    Map<String, Quantity> limits = copy(resources.getLimits());
    Map<String, Quantity> requests = copy(resources.getRequests());
    if (!limits.isEmpty()) {
      for (String name : PodResources.NAMES) {
        sum(spec, false, name).ifPresent(sum -> requests.putIfAbsent(name, sum));
      }
      limits.forEach(requests::putIfAbsent);
      resources.setRequests(requests);
    } else if (!requests.isEmpty()) {
      for (String name : PodResources.NAMES) {
        if (PodResources.isSetByAll(spec, true, name)) {
          sum(spec, true, name).ifPresent(sum -> limits.put(name, sum));
        }
      }
      resources.setLimits(limits);
    }
  }

  private static Map<String, Quantity> copy(@Nullable Map<String, Quantity> quantities) {
    return quantities == null ? new LinkedHashMap<>() : new LinkedHashMap<>(quantities);
  }

  private static Optional<Quantity> sum(PodSpec spec, boolean limit, String name) {
    return Optional.of(PodResources.sum(spec, limit, name))
        .filter(sum -> sum.signum() != 0)
        .map(Defaults::quantity);
  }

  /// A number as a manifest has it.
  static Quantity quantity(BigDecimal value) {
    BigDecimal milli = value.movePointRight(3).setScale(0, RoundingMode.CEILING);
    return value.stripTrailingZeros().scale() > 0
        ? new Quantity(milli.toPlainString(), "m")
        : new Quantity(value.setScale(0, RoundingMode.CEILING).toPlainString(), "");
  }

  /// The defaults of a document that pods refer to.
  static void apply(HasMetadata object, String namespace) {
    if (object.getMetadata() == null) {
      object.setMetadata(new ObjectMeta());
    }
    if (isEmpty(object.getMetadata().getNamespace())) {
      object.getMetadata().setNamespace(namespace);
    }
    switch (object) {
      case Secret secret -> {
        secret.setType(or(secret.getType(), "Opaque"));
        if (secret.getStringData() != null && !secret.getStringData().isEmpty()) {
          Map<String, String> data = new LinkedHashMap<>();
          if (secret.getData() != null) {
            data.putAll(secret.getData());
          }
          secret
              .getStringData()
              .forEach(
                  (key, value) ->
                      data.put(
                          key,
                          Base64.getEncoder()
                              .encodeToString(value.getBytes(StandardCharsets.UTF_8))));
          secret.setData(data);
        }
        secret.setStringData(null);
      }
      case PersistentVolumeClaim claim -> {
        if (claim.getSpec() != null) {
          claim.getSpec().setVolumeMode(or(claim.getSpec().getVolumeMode(), "Filesystem"));
        }
      }
      case Service service -> {
        service.setSpec(or(service.getSpec(), new ServiceSpec()));
        service(service.getSpec());
      }
      default -> {}
    }
  }

  private static void service(ServiceSpec spec) {
    spec.setType(or(spec.getType(), "ClusterIP"));
    spec.setSessionAffinity(or(spec.getSessionAffinity(), "None"));
    spec.getPorts().forEach(port -> port.setProtocol(or(port.getProtocol(), "TCP")));
  }

  /// What a service is here that has not said otherwise: one without an address of its own.
  static void headless(ServiceSpec spec) {
    if (!"ExternalName".equals(spec.getType())) {
      spec.setClusterIP("None");
      spec.setClusterIPs(List.of("None"));
    }
    for (ServicePort port : spec.getPorts()) {
      port.setTargetPort(or(port.getTargetPort(), new IntOrString(port.getPort())));
    }
  }

  private static void volume(Volume volume) {
    if (volume.getConfigMap() != null) {
      volume.getConfigMap().setDefaultMode(or(volume.getConfigMap().getDefaultMode(), 0644));
    } else if (volume.getSecret() != null) {
      volume.getSecret().setDefaultMode(or(volume.getSecret().getDefaultMode(), 0644));
    } else if (volume.getDownwardAPI() != null) {
      volume.getDownwardAPI().setDefaultMode(or(volume.getDownwardAPI().getDefaultMode(), 0644));
    } else if (volume.getProjected() != null) {
      volume.getProjected().setDefaultMode(or(volume.getProjected().getDefaultMode(), 0644));
    } else if (volume.getHostPath() != null) {
      volume.getHostPath().setType(or(volume.getHostPath().getType(), ""));
    } else if (volume.getImage() != null) {
      String reference = volume.getImage().getReference();
      if (isEmpty(volume.getImage().getPullPolicy()) && reference != null) {
        volume.getImage().setPullPolicy(isLatest(reference) ? "Always" : "IfNotPresent");
      }
    } else if (volume.getPersistentVolumeClaim() == null && volume.getEmptyDir() == null) {
      volume.setEmptyDir(new EmptyDirVolumeSource());
    }
  }

  static void container(Container container, boolean hostNetwork) {
    if (isEmpty(container.getImagePullPolicy()) && container.getImage() != null) {
      container.setImagePullPolicy(isLatest(container.getImage()) ? "Always" : "IfNotPresent");
    }
    container.setTerminationMessagePath(
        or(container.getTerminationMessagePath(), "/dev/termination-log"));
    container.setTerminationMessagePolicy(or(container.getTerminationMessagePolicy(), "File"));
    for (ContainerPort port : container.getPorts()) {
      port.setProtocol(or(port.getProtocol(), "TCP"));
      if (hostNetwork && port.getHostPort() == null) {
        port.setHostPort(port.getContainerPort());
      }
    }
    for (EnvVar variable : container.getEnv()) {
      if (variable.getValueFrom() != null && variable.getValueFrom().getFieldRef() != null) {
        ObjectFieldSelector field = variable.getValueFrom().getFieldRef();
        field.setApiVersion(or(field.getApiVersion(), "v1"));
      }
    }
    probe(container.getLivenessProbe());
    probe(container.getReadinessProbe());
    probe(container.getStartupProbe());
    Lifecycle lifecycle = container.getLifecycle();
    if (lifecycle != null && lifecycle.getPostStart() != null) {
      http(lifecycle.getPostStart().getHttpGet());
    }
    if (lifecycle != null && lifecycle.getPreStop() != null) {
      http(lifecycle.getPreStop().getHttpGet());
    }
    requests(container.getResources());
  }

  private static void probe(@Nullable Probe probe) {
    if (probe == null) {
      return;
    }
    probe.setTimeoutSeconds(orIfZero(probe.getTimeoutSeconds(), 1));
    probe.setPeriodSeconds(orIfZero(probe.getPeriodSeconds(), 10));
    probe.setSuccessThreshold(orIfZero(probe.getSuccessThreshold(), 1));
    probe.setFailureThreshold(orIfZero(probe.getFailureThreshold(), 3));
    http(probe.getHttpGet());
    if (probe.getGrpc() != null) {
      probe.getGrpc().setService(or(probe.getGrpc().getService(), ""));
    }
  }

  private static void http(@Nullable HTTPGetAction http) {
    if (http != null) {
      http.setPath(or(http.getPath(), "/"));
      http.setScheme(or(http.getScheme(), "HTTP"));
    }
  }

  /// A limit without a request is the request too.
  private static void requests(@Nullable ResourceRequirements resources) {
    if (resources == null || resources.getLimits() == null || resources.getLimits().isEmpty()) {
      return;
    }
    Map<String, Quantity> requests = new LinkedHashMap<>();
    if (resources.getRequests() != null) {
      requests.putAll(resources.getRequests());
    }
    resources.getLimits().forEach(requests::putIfAbsent);
    resources.setRequests(requests);
  }

  /// Whether a reference means the tag `latest`, said or not.
  private static boolean isLatest(String image) {
    if (image.contains("@")) {
      return false;
    }
    String last = image.substring(image.lastIndexOf('/') + 1);
    int colon = last.indexOf(':');
    return colon < 0 || List.of("", "latest").contains(last.substring(colon + 1));
  }

  private static boolean isEmpty(@Nullable String text) {
    return text == null || text.isEmpty();
  }

  static String or(@Nullable String value, String otherwise) {
    return value == null || value.isEmpty() ? otherwise : value;
  }

  static <T> T or(@Nullable T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static int orIfZero(@Nullable Integer value, int otherwise) {
    return value == null || value == 0 ? otherwise : value;
  }
}
