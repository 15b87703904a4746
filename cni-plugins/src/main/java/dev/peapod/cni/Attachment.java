package dev.peapod.cni;

import java.util.List;
import java.util.Optional;

/// What a sandbox has of the network.
///
/// @param interfaceName the interface's name inside the pod, such as `eth0`
/// @param mac its hardware address, such as `0a:58:0a:58:00:02`, or `""` if the plugins did not say
/// @param ips the pod's addresses without prefix lengths, the first one first
/// @param gateway the address of the first default gateway
/// @param hostInterface the host's end of the link, if the plugins named one
public record Attachment(
    String interfaceName,
    String mac,
    List<String> ips,
    Optional<String> gateway,
    Optional<String> hostInterface) {
  public Attachment {
    ips = List.copyOf(ips);
  }
}
