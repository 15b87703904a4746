package dev.peapod.pods.service;

import dev.peapod.pods.service.Endpoints.Endpoint;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The pods behind a service, for people.
public final class EndpointText {
  private EndpointText() {}

  /// Writes what follows in a service's description: those that its name is answered with, and those that it is not.
  public static void write(StringBuilder out, Service service, List<Endpoint> endpoints) {
    if (Endpoints.isExternal(service)) {
      return;
    }
    section(out, "Endpoints:    ", service, endpoints.stream().filter(Endpoint::ready).toList());
    section(out, "Not Ready:    ", service, endpoints.stream().filter(e -> !e.ready()).toList());
  }

  private static void section(
      StringBuilder out, String title, Service service, List<Endpoint> endpoints) {
    List<String> lines = new ArrayList<>();
    for (Endpoint endpoint : endpoints) {
      String pod = "  (pod " + endpoint.pod().getMetadata().getName() + ")";
      endpoint.addresses().forEach(a -> lines.add(a + ports(service, endpoint) + pod));
    }
    String text = lines.isEmpty() ? "<none>" : String.join("\n" + " ".repeat(title.length()), lines);
    out.append(title).append(text).append('\n');
  }

  private static String ports(Service service, Endpoint endpoint) {
    List<String> numbers = new ArrayList<>();
    for (ServicePort port : service.getSpec().getPorts()) {
      OptionalInt number = endpoint.port(port);
      numbers.add(number.isPresent() ? Integer.toString(number.getAsInt()) : "<no such port>");
    }
    return numbers.isEmpty() ? "" : ":" + String.join(",", numbers);
  }
}
