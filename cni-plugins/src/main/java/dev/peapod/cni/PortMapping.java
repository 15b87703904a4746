package dev.peapod.cni;

import dev.peapod.error.PeapodException;

/// A port of the host that leads to a port of the pod.
///
/// @param protocol the transport protocol of both
/// @param containerPort the pod's port, 1 to 65535
/// @param hostPort the host's port, 1 to 65535
/// @param hostIp the one address of the host that it is for, or `""` for all of them
public record PortMapping(Protocol protocol, int containerPort, int hostPort, String hostIp) {
  /// @throws PeapodException INVALID if a port is out of range
  public PortMapping {
    requirePort("container port", containerPort);
    requirePort("host port", hostPort);
  }

  private static void requirePort(String what, int port) {
    if (port < 1 || port > 65535) {
      throw PeapodException.invalid(what + " " + port + " is not between 1 and 65535");
    }
  }

  /// How a person writes it, such as `0.0.0.0:8080/tcp`.
  public String hostText() {
    String host = hostIp.isEmpty() ? "*" : hostIp.indexOf(':') >= 0 ? "[" + hostIp + "]" : hostIp;
    return host + ":" + hostPort + "/" + protocol.text();
  }
}
