package dev.peapod.pods.service;

import dev.peapod.pods.object.Selectors;
import dev.peapod.pods.workload.PodFacts;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// The pods behind a service, as Kubernetes' endpoint slices have them.
public final class Endpoints {
  private Endpoints() {}

  /// A pod behind a service.
  ///
  /// @param ready whether the service's name is answered with it
  public record Endpoint(Pod pod, List<String> addresses, boolean ready) {
    /// The name that the pod has below that of the service, where it asks for one.
    Optional<String> hostname(Service service) {
      String hostname = pod.getSpec().getHostname();
      return hostname != null
              && !hostname.isEmpty()
              && service.getMetadata().getName().equals(pod.getSpec().getSubdomain())
          ? Optional.of(hostname)
          : Optional.empty();
    }

    /// The port of the pod that a port of the service means; none if it names one that the pod does not have.
    public OptionalInt port(ServicePort port) {
      IntOrString target = port.getTargetPort();
      if (target == null) {
        return OptionalInt.of(port.getPort());
      }
      if (target.getIntVal() != null) {
        return OptionalInt.of(target.getIntVal());
      }
      // Sidecars have ports as well.
      return Stream.concat(
              pod.getSpec().getContainers().stream(), pod.getSpec().getInitContainers().stream())
          .map(Container::getPorts)
          .flatMap(List::stream)
          .filter(p -> target.getStrVal().equals(p.getName()))
          .filter(p -> port.getProtocol().equals(p.getProtocol()))
          .mapToInt(ContainerPort::getContainerPort)
          .findFirst();
    }
  }

  /// The pods that a service selects and that have an address, in the order given.
  public static List<Endpoint> of(Service service, Collection<Pod> pods) {
    Map<String, String> selector = service.getSpec().getSelector();
    if (isExternal(service) || selector == null || selector.isEmpty()) {
      return List.of();
    }
    LabelSelector wanted = new LabelSelector(List.of(), selector);
    List<Endpoint> found = new ArrayList<>();
    for (Pod pod : pods) {
      if (pod.getMetadata().getNamespace().equals(service.getMetadata().getNamespace())
          && Selectors.matches(wanted, pod.getMetadata().getLabels())
          && !addresses(pod).isEmpty()) {
        found.add(new Endpoint(pod, addresses(pod), isAnswered(service, pod)));
      }
    }
    return found;
  }

  /// A pod's addresses; none once it has ended, when others may have them.
  static List<String> addresses(Pod pod) {
    return pod.getStatus() == null || PodFacts.isFinished(pod)
        ? List.of()
        : pod.getStatus().getPodIPs().stream().map(PodIP::getIp).toList();
  }

  /// Whether a service is but another word for a name elsewhere.
  public static boolean isExternal(Service service) {
    return "ExternalName".equals(service.getSpec().getType());
  }

  private static boolean isAnswered(Service service, Pod pod) {
    if (Boolean.TRUE.equals(service.getSpec().getPublishNotReadyAddresses())) {
      return true;
    }
    return pod.getMetadata().getDeletionTimestamp() == null && PodFacts.isReady(pod);
  }
}
