package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import dev.peapod.pods.environment.Environment;
import dev.peapod.pods.environment.PodFields;
import dev.peapod.pods.volume.PodVolumes;
import dev.peapod.proto.runtime.v1.ContainerConfig;
import dev.peapod.proto.runtime.v1.Image;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ImageVolumeSource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Brings one instance of a container up: image, create, start. Runs on a virtual thread of its own
/// and tells the worker how it went; an interrupt ends it.
final class ContainerStart implements Runnable {
  private final Shared shared;
  private final Pod pod;
  private final ContainerSlot slot;
  private final Container spec;
  private final boolean resized;
  private final Optional<String> target;
  private final int attempt;
  private final String sandbox;
  private final PodSandboxConfig sandboxConfig;
  private final List<String> ips;
  private final PodVolumes volumes;
  private final Consumer<Message> worker;

  ContainerStart(
      Shared shared,
      Pod pod,
      ContainerSlot slot,
      int attempt,
      String sandbox,
      PodSandboxConfig sandboxConfig,
      List<String> ips,
      PodVolumes volumes,
      Consumer<Message> worker) {
    this.shared = shared;
    this.pod = pod;
    this.slot = slot;
    this.spec = slot.spec;
    this.resized =
        slot.instance != null && !Resources.changes(slot.instance, slot.spec).isEmpty();
    this.target =
        Optional.ofNullable(slot.target).map(seen -> seen.isAlive() ? seen.containerId : "");
    this.attempt = attempt;
    this.sandbox = sandbox;
    this.sandboxConfig = sandboxConfig;
    this.ips = ips;
    this.volumes = volumes;
    this.worker = worker;
  }

  @Override
  public void run() {
    worker.accept(bringUp());
  }

  private Message bringUp() {
    PodKey key = PodKey.of(pod);
    Image image;
    Map<String, Image> volumeImages = new HashMap<>();
    try {
      image = image(key, spec.getImage(), spec.getImagePullPolicy());
      for (Volume volume : imageVolumes()) {
        ImageVolumeSource source = volume.getImage();
        volumeImages.put(
            volume.getName(), image(key, source.getReference(), source.getPullPolicy()));
      }
    } catch (Unavailable e) {
      shared.events().warning(key, spec.getName(), "Failed", e.getMessage());
      return new Message.NotCreated(slot, e.reason, e.getMessage(), true);
    } catch (RuntimeException e) {
      return notCreated(
          key, "ErrImagePull", "can not get image \"" + spec.getImage() + "\"", e, true);
    }
    if (target.isPresent() && target.get().isEmpty()) {
      String why = "the target container is not running";
      shared.events().warning(key, spec.getName(), "Failed", why);
      return new Message.NotCreated(slot, "CreateContainerError", why, false);
    }
    PodPaths paths = PodPaths.of(shared.config(), pod);
    String id;
    try {
      PodFiles.prepareContainer(paths, spec.getName(), attempt);
      Environment environment = environment(key);
      if (resized) {
        shared.cri().updateSandbox(sandbox, Resources.ofPod(pod));
      }
      ContainerConfig config =
          ContainerConfigs.of(
              pod,
              sandboxConfig,
              spec,
              attempt,
              image,
              environment.variables(),
              ContainerMounts.of(pod, spec, attempt, paths, volumes, volumeImages, environment.variables()),
              shared.config());
      if (target.isPresent()) {
        config = ContainerConfigs.seeing(target.get(), config);
      }
      id = shared.cri().createContainer(sandbox, config, sandboxConfig);
      shared.events().normal(key, spec.getName(), "Created", "Container created");
    } catch (RuntimeException e) {
      String reason =
          e instanceof PeapodException p && p.kind() == Kind.INVALID
              ? "CreateContainerConfigError"
              : "CreateContainerError";
      return notCreated(key, reason, "", e, false);
    }
    try {
      shared.cri().startContainer(id);
      shared.events().normal(key, spec.getName(), "Started", "Container started");
      PodFiles.forgetOldInstances(paths, spec.getName(), attempt);
      return new Message.Started(slot, spec, attempt, id, image.getId(), shared.clock().instant());
    } catch (RuntimeException e) {
      shared.events().warning(key, spec.getName(), "Failed", String.valueOf(e.getMessage()));
      return new Message.NotStarted(
          slot, attempt, id, "RunContainerError", String.valueOf(e.getMessage()));
    }
  }

  private Environment environment(PodKey key) {
    PodFields fields = new PodFields(pod, ips, shared.config().nodeName());
    Environment environment = Environment.of(key.namespace(), spec, shared.objects(), fields);
    if (!environment.skipped().isEmpty()) {
      shared
          .events()
          .warning(
              key,
              slot.name(),
              "InvalidEnvironmentVariableNames",
              "Keys "
                  + environment.skipped()
                  + " were skipped since they are considered invalid environment variable names.");
    }
    return environment;
  }

  private Message notCreated(
      PodKey key, String reason, String what, RuntimeException e, boolean image) {
    String message = what.isEmpty() ? String.valueOf(e.getMessage()) : what + ": " + e.getMessage();
    shared.events().warning(key, slot.name(), "Failed", message);
    return new Message.NotCreated(slot, reason, message, image);
  }

  /// Those that the container mounts.
  private List<Volume> imageVolumes() {
    return pod.getSpec().getVolumes().stream()
        .filter(volume -> volume.getImage() != null)
        .filter(
            volume ->
                spec.getVolumeMounts().stream()
                    .anyMatch(mount -> mount.getName().equals(volume.getName())))
        .toList();
  }

  private Image image(PodKey key, String reference, String policy) {
    Optional<Image> present = shared.cri().image(reference);
    if (present.isPresent() && !policy.equals("Always")) {
      shared
          .events()
          .normal(
              key,
              spec.getName(),
              "Pulled",
              "Container image \"" + reference + "\" already present on machine");
      return present.get();
    }
    if (policy.equals("Never")) {
      throw new Unavailable(
          "ErrImageNeverPull",
          "Container image \"" + reference + "\" is not present with pull policy of Never");
    }
    shared.events().normal(key, spec.getName(), "Pulling", "Pulling image \"" + reference + "\"");
    long begun = System.nanoTime();
    String pulled;
    try {
      pulled = shared.cri().pull(reference, sandboxConfig);
    } catch (PeapodException e) {
      String reason = e.kind() == Kind.INVALID ? "InvalidImageName" : "ErrImagePull";
      throw new Unavailable(
          reason, "Failed to pull image \"" + reference + "\": " + e.getMessage());
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    Image image =
        shared
            .cri()
            .image(pulled.isEmpty() ? reference : pulled)
            .or(() -> shared.cri().image(reference))
            .orElseThrow(
                () ->
                    new Unavailable(
                        "ErrImagePull", "image \"" + reference + "\" vanished after its pull"));
    shared
        .events()
        .normal(
            key,
            spec.getName(),
            "Pulled",
            "Successfully pulled image \""
                + reference
                + "\" in "
                + took.toMillis()
                + "ms. Image size: "
                + image.getSize()
                + " bytes.");
    return image;
  }

  /// There is no image to run.
  private static final class Unavailable extends RuntimeException {
    final String reason;

    Unavailable(String reason, String message) {
      super(message);
      this.reason = reason;
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }
}
