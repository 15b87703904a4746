package dev.peapod.cri;

import dev.peapod.cni.PortMapping;
import dev.peapod.cni.Protocol;
import dev.peapod.engine.model.DnsSpec;
import dev.peapod.engine.model.PodMetadata;
import dev.peapod.engine.model.SandboxSpec;
import dev.peapod.engine.model.SandboxStatus;
import dev.peapod.error.PeapodException;
import dev.peapod.proto.runtime.v1.DNSConfig;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxConfig;
import dev.peapod.proto.runtime.v1.LinuxPodSandboxStatus;
import dev.peapod.proto.runtime.v1.LinuxSandboxSecurityContext;
import dev.peapod.proto.runtime.v1.Namespace;
import dev.peapod.proto.runtime.v1.NamespaceOption;
import dev.peapod.proto.runtime.v1.PodIP;
import dev.peapod.proto.runtime.v1.PodSandbox;
import dev.peapod.proto.runtime.v1.PodSandboxConfig;
import dev.peapod.proto.runtime.v1.PodSandboxMetadata;
import dev.peapod.proto.runtime.v1.PodSandboxNetworkStatus;
import dev.peapod.proto.runtime.v1.PodSandboxState;
import java.util.List;

/// Sandboxes between the CRI's words and the engine's.
final class SandboxMapping {
  private SandboxMapping() {}

  /// @throws PeapodException INVALID or UNIMPLEMENTED naming the field
  static SandboxSpec spec(PodSandboxConfig config, String runtimeHandler) {
    Refusals.required(config.hasMetadata(), "config.metadata");
    if (!runtimeHandler.isEmpty()) {
      throw PeapodException.invalid(
          "runtime handler \"" + runtimeHandler + "\" is not known; the only one is \"\"");
    }
    LinuxPodSandboxConfig linux = config.getLinux();
    LinuxSandboxSecurityContext security = linux.getSecurityContext();
    NamespaceOption namespaces = security.getNamespaceOptions();
    String field = "config.linux.security_context";
    SecurityMapping.checkSandbox(security, field);
    PodSandboxMetadata metadata = config.getMetadata();
    return new SandboxSpec(
        new PodMetadata(
            metadata.getName(), metadata.getUid(), metadata.getNamespace(), metadata.getAttempt()),
        config.getHostname(),
        config.getLogDirectory(),
        dns(config.getDnsConfig()),
        ports(config.getPortMappingsList()),
        config.getLabelsMap(),
        config.getAnnotationsMap(),
        runtimeHandler,
        linux.getCgroupParent(),
        Namespaces.mode(namespaces.getNetwork(), field + ".namespace_options.network"),
        Namespaces.mode(namespaces.getPid(), field + ".namespace_options.pid"),
        Namespaces.mode(namespaces.getIpc(), field + ".namespace_options.ipc"),
        linux.getSysctlsMap(),
        security.getPrivileged(),
        Namespaces.users(namespaces, field + ".namespace_options"),
        SecurityMapping.selinux(security.getSelinuxOptions()),
        ResourceMapping.sum(linux.getResources(), linux.getOverhead()));
  }

  private static DnsSpec dns(DNSConfig dns) {
    return new DnsSpec(dns.getServersList(), dns.getSearchesList(), dns.getOptionsList());
  }

  /// A mapping without a host port asks for nothing.
  private static List<PortMapping> ports(List<dev.peapod.proto.runtime.v1.PortMapping> ports) {
    return ports.stream()
        .filter(p -> p.getHostPort() != 0)
        .map(
            p ->
                new PortMapping(
                    protocol(p.getProtocol()),
                    p.getContainerPort(),
                    p.getHostPort(),
                    p.getHostIp()))
        .toList();
  }

  private static Protocol protocol(dev.peapod.proto.runtime.v1.Protocol protocol) {
    return switch (protocol) {
      case TCP -> Protocol.TCP;
      case UDP -> Protocol.UDP;
      case SCTP -> Protocol.SCTP;
      case UNRECOGNIZED ->
          throw PeapodException.invalid("config.port_mappings.protocol is not TCP, UDP or SCTP");
    };
  }

  static PodSandbox listed(SandboxStatus sandbox) {
    return PodSandbox.newBuilder()
        .setId(sandbox.id())
        .setMetadata(metadata(sandbox.spec().metadata()))
        .setState(state(sandbox))
        .setCreatedAt(sandbox.createdAt())
        .putAllLabels(sandbox.spec().labels())
        .putAllAnnotations(sandbox.spec().annotations())
        .setRuntimeHandler(sandbox.spec().runtimeHandler())
        .build();
  }

  static dev.peapod.proto.runtime.v1.PodSandboxStatus status(SandboxStatus sandbox) {
    SandboxSpec spec = sandbox.spec();
    NamespaceOption namespaces =
        NamespaceOption.newBuilder()
            .setNetwork(Namespaces.mode(spec.network()))
            .setPid(Namespaces.mode(spec.pid()))
            .setIpc(Namespaces.mode(spec.ipc()))
            .setUsernsOptions(Namespaces.users(spec.userNamespace()))
            .build();
    return dev.peapod.proto.runtime.v1.PodSandboxStatus.newBuilder()
        .setId(sandbox.id())
        .setMetadata(metadata(spec.metadata()))
        .setState(state(sandbox))
        .setCreatedAt(sandbox.createdAt())
        .setNetwork(network(sandbox.ips()))
        .setLinux(
            LinuxPodSandboxStatus.newBuilder()
                .setNamespaces(Namespace.newBuilder().setOptions(namespaces)))
        .putAllLabels(spec.labels())
        .putAllAnnotations(spec.annotations())
        .setRuntimeHandler(spec.runtimeHandler())
        .build();
  }

  private static PodSandboxNetworkStatus network(List<String> ips) {
    PodSandboxNetworkStatus.Builder network = PodSandboxNetworkStatus.newBuilder();
    if (!ips.isEmpty()) {
      network.setIp(ips.getFirst());
      ips.stream().skip(1).forEach(ip -> network.addAdditionalIps(PodIP.newBuilder().setIp(ip)));
    }
    return network.build();
  }

  static PodSandboxMetadata metadata(PodMetadata metadata) {
    return PodSandboxMetadata.newBuilder()
        .setName(metadata.name())
        .setUid(metadata.uid())
        .setNamespace(metadata.namespace())
        .setAttempt(metadata.attempt())
        .build();
  }

  static PodSandboxState state(SandboxStatus sandbox) {
    return switch (sandbox.state()) {
      case READY -> PodSandboxState.SANDBOX_READY;
      case NOT_READY -> PodSandboxState.SANDBOX_NOTREADY;
    };
  }
}
