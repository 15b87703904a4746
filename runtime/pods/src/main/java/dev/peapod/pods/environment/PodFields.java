package dev.peapod.pods.environment;

import dev.peapod.pods.manifest.FieldPaths;
import dev.peapod.pods.manifest.PodResources;
import dev.peapod.pods.manifest.Quantities;
import dev.peapod.pods.node.HostFacts;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The downward API: what a pod can ask of itself.
public final class PodFields {
  private final Pod pod;
  private final List<String> ips;
  private final String nodeName;

  /// @param ips the pod's addresses; none where they are not known yet
  public PodFields(Pod pod, List<String> ips, String nodeName) {
    this.pod = pod;
    this.ips = ips;
    this.nodeName = nodeName;
  }

  /// The value of a field, such as `metadata.name` or `metadata.labels['app']`.
  public String field(String path) {
    Map<String, String> fields = new HashMap<>();
    fields.put("metadata.name", pod.getMetadata().getName());
    fields.put("metadata.namespace", pod.getMetadata().getNamespace());
    fields.put("metadata.uid", pod.getMetadata().getUid());
    fields.put("spec.nodeName", nodeName);
    fields.put("spec.serviceAccountName", "default");
    fields.put("status.podIP", ips.isEmpty() ? "" : ips.getFirst());
    fields.put("status.podIPs", String.join(",", ips));
    if (path.startsWith("status.hostIP")) {
      fields.put(path, HostFacts.address());
    }
    return FieldPaths.resolve(
        path, fields, pod.getMetadata().getLabels(), pod.getMetadata().getAnnotations());
  }

  /// The value of a container's resource, in units of the divisor, rounded up. A limit that is not
  /// set is the pod's, or what the machine has.
  ///
  /// @param own the container that asks, which is meant where the selector names none
  public String resource(ResourceFieldSelector selector, @Nullable Container own) {
    Container container = own;
    String name = selector.getContainerName();
    if (name != null && !name.isEmpty()) {
      container =
          Stream.concat(
                  pod.getSpec().getContainers().stream(),
                  pod.getSpec().getInitContainers().stream())
              .filter(c -> c.getName().equals(name))
              .findFirst()
              .orElse(own);
    }
    String[] parts = selector.getResource().split("\\.", 2);
    boolean limit = parts[0].equals("limits");
    BigDecimal value = quantity(container, limit, parts[1]);
    if (value.signum() == 0 && limit) {
      value =
          PodResources.own(pod.getSpec(), true, parts[1])
              .filter(most -> most.signum() > 0)
              .orElseGet(
                  () ->
                      BigDecimal.valueOf(
                          parts[1].equals("cpu")
                              ? Runtime.getRuntime().availableProcessors()
                              : HostFacts.memory()));
    }
    Quantity divisor = selector.getDivisor();
    BigDecimal unit =
        divisor == null ? BigDecimal.ONE : Quantities.parse(text(divisor)).orElse(BigDecimal.ONE);
    return value
        .divide(unit.signum() == 0 ? BigDecimal.ONE : unit, 0, RoundingMode.CEILING)
        .toPlainString();
  }

  private static BigDecimal quantity(
      @Nullable Container container, boolean limit, String resource) {
    if (container == null || container.getResources() == null) {
      return BigDecimal.ZERO;
    }
    Map<String, Quantity> map =
        limit ? container.getResources().getLimits() : container.getResources().getRequests();
    Quantity quantity = map == null ? null : map.get(resource);
    return quantity == null
        ? BigDecimal.ZERO
        : Quantities.parse(text(quantity)).orElse(BigDecimal.ZERO);
  }

  private static String text(Quantity quantity) {
    String format = quantity.getFormat();
    return quantity.getAmount() + (format == null ? "" : format);
  }
}
