package dev.peapod.pods.manifest;

import dev.peapod.error.PeapodException;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Containers that are added to a pod that is there: no manifest has them, they run once, and stay part of
/// the pod until it is gone.
public final class EphemeralContainers {
  private static final String PATH = "spec.ephemeralContainers";

  private EphemeralContainers() {}

  /// Those of a pod, as [#container] has them.
  public static List<Container> of(Pod pod) {
    return pod.getSpec().getEphemeralContainers().stream()
        .map(EphemeralContainers::container)
        .toList();
  }

  /// All containers of a pod in the order of their starts, the ephemeral ones last.
  public static Stream<Container> all(Pod pod) {
    PodSpec spec = pod.getSpec();
    return Stream.of(spec.getInitContainers(), spec.getContainers(), of(pod)).flatMap(List::stream);
  }

  /// What an ephemeral container has in common with others; it never runs again.
  public static Container container(EphemeralContainer ephemeral) {
    return new ContainerBuilder()
        .withName(ephemeral.getName())
        .withImage(ephemeral.getImage())
        .withImagePullPolicy(ephemeral.getImagePullPolicy())
        .withCommand(ephemeral.getCommand())
        .withArgs(ephemeral.getArgs())
        .withWorkingDir(ephemeral.getWorkingDir())
        .withEnv(ephemeral.getEnv())
        .withSecurityContext(ephemeral.getSecurityContext())
        .withStdin(ephemeral.getStdin())
        .withStdinOnce(ephemeral.getStdinOnce())
        .withTty(ephemeral.getTty())
        .withTerminationMessagePath(ephemeral.getTerminationMessagePath())
        .withTerminationMessagePolicy(ephemeral.getTerminationMessagePolicy())
        .withRestartPolicy("Never")
        .build();
  }

  /// The pod's spec with one more, its defaults filled in.
  ///
  /// @param asked is not kept
  /// @throws PeapodException INVALID in Kubernetes' words, with all that is wrong
  public static PodSpec add(Pod pod, EphemeralContainer asked) {
    Container checked = container(asked);
    Defaults.container(checked, false);
    Problems problems = new Problems();
    Rules rules = new Rules("", new Schema("", problems), problems);
    String path = PATH + "[" + pod.getSpec().getEphemeralContainers().size() + "]";
    Set<String> names = all(pod).map(Container::getName).collect(Collectors.toCollection(HashSet::new));
    String target = asked.getTargetContainerName();
    if (target != null && !isTarget(pod, target)) {
      rules.error(path + ".targetContainerName", "Not found: " + Words.quote(target));
    }
    rules.named(checked.getName(), path, names);
    new ContainerValidation(rules).validate(checked, path, Set.of(), pod.getSpec());
    if (!problems.isEmpty()) {
      String wrong =
          problems.list().stream()
              .map(error -> error.path() + ": " + error.message())
              .collect(Collectors.joining(", "));
      throw PeapodException.invalid(
          "The Pod " + Words.quote(pod.getMetadata().getName()) + " is invalid: " + wrong);
    }
    return new PodSpecBuilder(pod.getSpec())
        .addNewEphemeralContainerLike(asked)
        .withImagePullPolicy(checked.getImagePullPolicy())
        .withTerminationMessagePath(checked.getTerminationMessagePath())
        .withTerminationMessagePolicy(checked.getTerminationMessagePolicy())
        .endEphemeralContainer()
        .build();
  }

  private static boolean isTarget(Pod pod, String name) {
    return Stream.concat(
            pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream())
        .anyMatch(container -> name.equals(container.getName()));
  }

  /// A pod as its manifest has it.
  public static Pod without(Pod pod) {
    return pod.getSpec().getEphemeralContainers().isEmpty() ? pod : with(pod, List.of());
  }

  /// The pod with these in the place of its own.
  public static Pod with(Pod pod, List<EphemeralContainer> ephemeral) {
    PodSpec spec =
        new PodSpecBuilder(pod.getSpec()).withEphemeralContainers(ephemeral).build();
    return new Pod(
        pod.getApiVersion(), pod.getKind(), pod.getMetadata(), spec, pod.getStatus());
  }
}
