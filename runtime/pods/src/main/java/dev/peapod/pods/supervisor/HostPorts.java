package dev.peapod.pods.supervisor;

import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.pods.PodKey;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Who has which of the machine's ports: two pods can not have one.
final class HostPorts {
  private HostPorts() {}

  /// @param planned pods that are to be made or changed
  /// @throws PeapodException FAILED_PRECONDITION if a port is taken by another pod
  static void require(PodBoard board, List<Pod> planned) {
    Map<String, PodKey> taken = new LinkedHashMap<>();
    Set<PodKey> keys = planned.stream().map(PodKey::of).collect(Collectors.toSet());
    for (PodBoard.Entry entry : board.list().entries()) {
      String phase = entry.pod().getStatus() == null ? "" : entry.pod().getStatus().getPhase();
      if (!keys.contains(PodKey.of(entry.pod()))
          && !Set.of("Succeeded", "Failed").contains(phase)) {
        of(entry.pod()).forEach(port -> taken.put(port, PodKey.of(entry.pod())));
      }
    }
    for (Pod pod : planned) {
      PodKey key = PodKey.of(pod);
      for (String port : of(pod)) {
        Optional<PodKey> other = holder(taken, port);
        if (other.isPresent()) {
          throw new PeapodException(
              Kind.FAILED_PRECONDITION,
              "host port "
                  + port
                  + " that pod "
                  + key
                  + " asks for is taken by pod "
                  + other.get());
        }
      }
      of(pod).forEach(port -> taken.put(port, key));
    }
  }

  private static Optional<PodKey> holder(Map<String, PodKey> taken, String port) {
    String address = port.substring(0, port.lastIndexOf(':'));
    String suffix = port.substring(port.lastIndexOf(':'));
    return taken.entrySet().stream()
        .filter(e -> e.getKey().endsWith(suffix))
        .filter(
            e -> {
              String other = e.getKey().substring(0, e.getKey().lastIndexOf(':'));
              return other.equals(address) || other.equals("0.0.0.0") || address.equals("0.0.0.0");
            })
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /// `address:port/protocol` of each.
  private static List<String> of(Pod pod) {
    List<String> ports = new ArrayList<>();
    for (var container : pod.getSpec().getContainers()) {
      for (ContainerPort port : container.getPorts()) {
        if (port.getHostPort() != null && port.getHostPort() != 0) {
          String address =
              port.getHostIP() == null || port.getHostIP().isEmpty() ? "0.0.0.0" : port.getHostIP();
          ports.add(address + ":" + port.getHostPort() + "/" + port.getProtocol());
        }
      }
    }
    return ports;
  }
}
