package dev.peapod.pods.object;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Services as rows of a table, with the columns that `kubectl get` has, and at length.
final class ServiceTable {
  static final List<String> COLUMNS = List.of("TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)");
  static final List<String> WIDE_COLUMNS = List.of("SELECTOR");
  private static final String NONE = "<none>";
  private static final int WIDTH = 14;

  private ServiceTable() {}

  static List<String> cells(Service service) {
    ServiceSpec spec = service.getSpec();
    String ports =
        spec.getPorts().stream()
            .map(port -> port.getPort() + "/" + port.getProtocol())
            .collect(Collectors.joining(","));
    return List.of(
        spec.getType(),
        or(spec.getClusterIP()),
        or(spec.getExternalName()),
        ports.isEmpty() ? NONE : ports);
  }

  static List<String> wideCells(Service service) {
    return List.of(selector(service));
  }

  private static String selector(Service service) {
    Map<String, String> selector = service.getSpec().getSelector();
    return selector == null || selector.isEmpty()
        ? NONE
        : Selectors.text(new LabelSelector(List.of(), selector));
  }

  /// Writes what follows after labels and annotations.
  static void describe(StringBuilder out, Service service) {
    ServiceSpec spec = service.getSpec();
    line(out, "Selector", selector(service));
    line(out, "Type", spec.getType());
    if (spec.getExternalName() != null) {
      line(out, "External Name", spec.getExternalName());
    } else {
      line(out, "IP", or(spec.getClusterIP()));
    }
    for (ServicePort port : spec.getPorts()) {
      String name = port.getName() == null ? "<unset>" : port.getName();
      line(out, "Port", name + "  " + port.getPort() + "/" + port.getProtocol());
      line(out, "TargetPort", target(port) + "/" + port.getProtocol());
    }
    if (Boolean.TRUE.equals(spec.getPublishNotReadyAddresses())) {
      line(out, "Publishes", "not ready addresses too");
    }
  }

  private static Object target(ServicePort port) {
    IntOrString target = port.getTargetPort();
    return target == null ? port.getPort() : target.getValue();
  }

  private static String or(@Nullable String text) {
    return text == null || text.isEmpty() ? NONE : text;
  }

  private static void line(StringBuilder out, String title, String value) {
    out.append(title).append(": ");
    out.repeat(" ", Math.max(0, WIDTH - title.length() - 2)).append(value).append('\n');
  }
}
