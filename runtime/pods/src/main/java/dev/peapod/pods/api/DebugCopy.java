package dev.peapod.pods.api;

import com.google.protobuf.ByteString;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.status.Bare;
import dev.peapod.pods.status.PodText;
import dev.peapod.pods.supervisor.Fleet;
import dev.peapod.proto.peapod.v1.DebugRequest;
import dev.peapod.proto.peapod.v1.Manifest;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.SecurityContext;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/// Copies of pods to look for mistakes in, as `kubectl debug --copy-to` makes them: without labels, so that nobody takes
/// them for the pod, and without probes.
final class DebugCopy {
  private final Fleet fleet;
  private final BiFunction<List<Manifest>, String, List<dev.peapod.pods.manifest.Manifest>> reader;

  /// @param reader reads manifests, given the namespace for those that name none
  DebugCopy(
      Fleet fleet,
      BiFunction<List<Manifest>, String, List<dev.peapod.pods.manifest.Manifest>> reader) {
    this.fleet = fleet;
    this.reader = reader;
  }

  /// Makes a copy.
  ///
  /// @return the container that is new or changed; empty if only images are
  String make(DebugRequest request) throws InterruptedException {
    Pod pod =
        PodText.copy(
            Bare.of(
                Targets.pod(fleet.board(), request.getNamespace(), request.getName()).pod()));
    PodKey copy = new PodKey(request.getNamespace(), request.getCopyTo());
    if (fleet.board().get(copy).isPresent()) {
      throw new PeapodException(
          Kind.ALREADY_EXISTS, "pods \"" + copy.name() + "\" already exists");
    }
    pod.setMetadata(
        new ObjectMetaBuilder().withName(copy.name()).withNamespace(copy.namespace()).build());
    pod.getSpec().getContainers().forEach(container -> strip(container, request));
    if (request.hasShareProcesses()) {
      pod.getSpec().setShareProcessNamespace(request.getShareProcesses());
    }
    String changed = container(pod, request);
    Manifest manifest =
        Manifest.newBuilder()
            .setSource("debug")
            .setContent(ByteString.copyFromUtf8(PodText.yaml(pod)))
            .build();
    fleet.apply(reader.apply(List.of(manifest), copy.namespace()), false, false);
    return changed;
  }

  private static void strip(Container container, DebugRequest request) {
    container.setLivenessProbe(null);
    container.setReadinessProbe(null);
    container.setStartupProbe(null);
    String image =
        request.getSetImageOrDefault(
            container.getName(), request.getSetImageOrDefault("*", container.getImage()));
    container.setImage(image);
  }

  private static String container(Pod pod, DebugRequest request) {
    List<Container> containers = pod.getSpec().getContainers();
    Optional<Container> present =
        containers.stream().filter(c -> c.getName().equals(request.getContainer())).findFirst();
    if (present.isEmpty() && request.getImage().isEmpty()) {
      if (request.getSetImageCount() > 0) {
        return "";
      }
      throw PeapodException.invalid("you must specify image when creating new container");
    }
    Container container = present.orElseGet(Container::new);
    if (present.isEmpty()) {
      container.setName(DebugCall.name(request));
      container.setTerminationMessagePolicy("FallbackToLogsOnError");
      containers.add(container);
    }
    if (!request.getImage().isEmpty()) {
      container.setImage(request.getImage());
    }
    if (request.getCommandCount() > 0) {
      container.setCommand(request.getCommandList());
      container.setArgs(List.of());
    }
    if (request.getEnvCount() > 0) {
      container.setEnv(
          request.getEnvMap().entrySet().stream()
              .map(e -> new EnvVarBuilder().withName(e.getKey()).withValue(e.getValue()).build())
              .toList());
    }
    if (!request.getImagePullPolicy().isEmpty()) {
      container.setImagePullPolicy(request.getImagePullPolicy());
    }
    container.setStdin(request.getStdin() ? true : null);
    container.setTty(request.getTty() ? true : null);
    SecurityContext own = container.getSecurityContext();
    container.setSecurityContext(
        DebugCall.security(request.getProfile(), own == null ? new SecurityContext() : own));
    return container.getName();
  }
}
