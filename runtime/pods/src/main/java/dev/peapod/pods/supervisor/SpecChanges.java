package dev.peapod.pods.supervisor;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What Kubernetes lets be changed of a pod that is there: images, resources (which it does by a
/// subresource of its own), and a deadline that comes sooner.
final class SpecChanges {
  private static final String FIELDS =
      "spec: Forbidden: pod updates may not change fields other than"
          + " `spec.containers[*].image`,`spec.initContainers[*].image`,"
          + "`spec.activeDeadlineSeconds`,`spec.containers[*].resources`";

  private SpecChanges() {}

  /// Why a pod can not become what is asked for, in Kubernetes' words; nothing if it can.
  static Optional<String> forbidden(Pod before, Pod asked) {
    PodSpec old = before.getSpec();
    PodSpec wanted = asked.getSpec();
    if (old.equals(wanted)) {
      return Optional.empty();
    }
    PodSpec rest = new PodSpecBuilder(wanted).build();
    rest.setActiveDeadlineSeconds(old.getActiveDeadlineSeconds());
    take(rest.getInitContainers(), old.getInitContainers());
    take(rest.getContainers(), old.getContainers());
    if (!rest.equals(old)) {
      return Optional.of(FIELDS);
    }
    Optional<String> deadline =
        deadline(old.getActiveDeadlineSeconds(), wanted.getActiveDeadlineSeconds());
    if (deadline.isPresent()) {
      return deadline;
    }
    if (!Resources.qosClass(before).equals(Resources.qosClass(asked))) {
      return Optional.of(
          "spec: Invalid value: \""
              + Resources.qosClass(asked)
              + "\": Pod QOS Class may not change as a result of resizing");
    }
    for (int i = 0; i < old.getInitContainers().size(); i++) {
      Container init = old.getInitContainers().get(i);
      Container next = wanted.getInitContainers().get(i);
      if (!RestartRules.isSidecar(init) && !Resources.changes(init, next).isEmpty()) {
        return Optional.of(
            "spec.initContainers[" + i + "].resources: Forbidden: resources of an init container"
                + " that is no sidecar can not be changed");
      }
    }
    return Optional.empty();
  }

  /// Gives containers the image and resources that others of the same name and place have.
  private static void take(List<Container> to, List<Container> from) {
    for (int i = 0; i < Math.min(to.size(), from.size()); i++) {
      if (from.get(i).getName().equals(to.get(i).getName())) {
        to.get(i).setImage(from.get(i).getImage());
        to.get(i).setImagePullPolicy(from.get(i).getImagePullPolicy());
        to.get(i).setResources(from.get(i).getResources());
      }
    }
  }

  private static Optional<String> deadline(@Nullable Long before, @Nullable Long after) {
    if (before == null || before.equals(after)) {
      return Optional.empty();
    }
    if (after == null) {
      return Optional.of(
          "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive"
              + " integer to nil value");
    }
    return after > before
        ? Optional.of(
            "spec.activeDeadlineSeconds: Invalid value: "
                + after
                + ": must be less than or equal to previous value")
        : Optional.empty();
  }
}
