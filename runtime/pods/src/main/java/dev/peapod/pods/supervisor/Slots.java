package dev.peapod.pods.supervisor;

import dev.peapod.pods.PodsConfig;
import dev.peapod.pods.backoff.BackOff;
import dev.peapod.pods.manifest.EphemeralContainers;
import dev.peapod.pods.supervisor.ContainerSlot.Role;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// All containers of a pod, in the manifest's order. Touched by the pod's worker alone.
final class Slots {
  private final PodsConfig config;
  private final List<ContainerSlot> inits;
  private final List<ContainerSlot> mains;
  private final List<ContainerSlot> ephemerals = new ArrayList<>();

  Slots(Pod pod, PodsConfig config) {
    this.config = config;
    this.inits =
        pod.getSpec().getInitContainers().stream()
            .map(c -> slot(c, RestartRules.isSidecar(c) ? Role.SIDECAR : Role.INIT))
            .toList();
    this.mains = pod.getSpec().getContainers().stream().map(c -> slot(c, Role.MAIN)).toList();
    pod.getSpec().getEphemeralContainers().forEach(this::add);
  }

  private ContainerSlot slot(Container container, Role role) {
    return new ContainerSlot(
        container,
        role,
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()),
        new BackOff(config.backOffBase(), config.backOffMax(), config.backOffReset()));
  }

  void add(EphemeralContainer container) {
    ContainerSlot slot = slot(EphemeralContainers.container(container), Role.EPHEMERAL);
    slot.target = named(container.getTargetContainerName()).findFirst().orElse(null);
    ephemerals.add(slot);
  }

  /// Init containers and sidecars.
  List<ContainerSlot> inits() {
    return inits;
  }

  List<ContainerSlot> mains() {
    return mains;
  }

  List<ContainerSlot> ephemerals() {
    return ephemerals;
  }

  Stream<ContainerSlot> all() {
    return Stream.of(inits, mains, ephemerals).flatMap(List::stream);
  }

  /// The one of this name, if there is one.
  Stream<ContainerSlot> named(String name) {
    return all().filter(slot -> slot.name().equals(name));
  }

  /// Those that are to run now if they do not.
  Stream<ContainerSlot> turn(Pod pod) {
    return Stream.concat(
        PodPhase.turn(pod, inits, mains),
        ephemerals.stream().filter(slot -> RestartRules.wantsToRun(pod, slot)));
  }

  String phase(Pod pod) {
    return PodPhase.of(pod, inits, mains);
  }

  /// Whether nothing runs and nothing is being started or stopped.
  boolean isQuiet() {
    return all().noneMatch(slot -> slot.isAlive() || slot.isBusy());
  }

  void endProbes() {
    all().forEach(ContainerSlot::endProbes);
  }

  /// The threads that start and stop containers now.
  List<Thread> operations() {
    List<Thread> operations = new ArrayList<>();
    for (ContainerSlot slot : all().toList()) {
      if (slot.operation != null) {
        operations.add(slot.operation);
      }
    }
    return operations;
  }
}
