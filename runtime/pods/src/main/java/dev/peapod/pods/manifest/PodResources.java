package dev.peapod.pods.manifest;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a pod asks for as a whole, and what its containers ask for together, by Kubernetes' rules. In processors and
/// bytes.
public final class PodResources {
  /// The resources that a pod can have as a whole.
  static final List<String> NAMES = List.of("cpu", "memory");

  private PodResources() {}

  /// Whether the pod as a whole has a limit or a request, so that its containers' do not count for its class.
  public static boolean isSet(PodSpec spec) {
    return NAMES.stream()
        .anyMatch(name -> own(spec, true, name).isPresent() || own(spec, false, name).isPresent());
  }

  /// What stands at the pod itself.
  public static Optional<BigDecimal> own(PodSpec spec, boolean limit, String name) {
    return value(spec.getResources(), limit, name);
  }

  /// What stands at a container or a pod.
  static Optional<BigDecimal> value(
      @Nullable ResourceRequirements resources, boolean limit, String name) {
    return quantity(resources, limit, name).map(PodResources::value);
  }

  static Optional<Quantity> quantity(
      @Nullable ResourceRequirements resources, boolean limit, String name) {
    if (resources == null) {
      return Optional.empty();
    }
    Map<String, Quantity> map = limit ? resources.getLimits() : resources.getRequests();
    return Optional.ofNullable(map == null ? null : map.get(name));
  }

  /// The number that a quantity stands for; 0 if it is none.
  static BigDecimal value(Quantity quantity) {
    return Quantities.parse(text(quantity)).orElse(BigDecimal.ZERO);
  }

  static String text(Quantity quantity) {
    String format = quantity.getFormat();
    return quantity.getAmount() + (format == null ? "" : format);
  }

  /// The most that the containers ask for at one time: all of them with the sidecars, or an init container with the
  /// sidecars that were started before it. One that asks for nothing counts as none.
  public static BigDecimal sum(PodSpec spec, boolean limit, String name) {
    BigDecimal sidecars = BigDecimal.ZERO;
    BigDecimal inits = BigDecimal.ZERO;
    for (Container init : spec.getInitContainers()) {
      BigDecimal value = value(init.getResources(), limit, name).orElse(BigDecimal.ZERO);
      if ("Always".equals(init.getRestartPolicy())) {
        sidecars = sidecars.add(value);
        inits = inits.max(sidecars);
      } else {
        inits = inits.max(sidecars.add(value));
      }
    }
    BigDecimal sum = sidecars;
    for (Container container : spec.getContainers()) {
      sum = sum.add(value(container.getResources(), limit, name).orElse(BigDecimal.ZERO));
    }
    return sum.max(inits);
  }

  /// Whether each of the containers asks for something.
  static boolean isSetByAll(PodSpec spec, boolean limit, String name) {
    return Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream())
        .allMatch(
            container ->
                value(container.getResources(), limit, name)
                    .filter(value -> value.signum() > 0)
                    .isPresent());
  }

  /// What the pod as a whole asks for: what stands there, or else its containers' sum.
  public static BigDecimal request(PodSpec spec, String name) {
    return own(spec, false, name).orElseGet(() -> sum(spec, false, name));
  }

  /// What the pod as a whole is held to: what stands there, or else its containers' sum if each of them has a limit.
  public static Optional<BigDecimal> limit(PodSpec spec, String name) {
    return own(spec, true, name)
        .filter(limit -> limit.signum() > 0)
        .or(
            () ->
                isSetByAll(spec, true, name)
                    ? Optional.of(sum(spec, true, name))
                    : Optional.empty());
  }
}
