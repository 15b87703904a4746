package dev.peapod.cni.plugin;

import dev.peapod.cni.PortHolder;
import dev.peapod.cni.host.Bridges;
import dev.peapod.cni.host.Host;
import dev.peapod.cni.host.Leases;
import dev.peapod.cni.host.PortRules;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds plugins by their type: ours first, any other as a program. Thread-safe.
public final class Plugins {
  private final Host host;
  private final List<Path> path;
  private final PortMap portMap;
  private final Map<String, Plugin> ours;

  /// @param path the directories where programs stand
  public Plugins(
      Host host,
      Bridges bridges,
      PortRules rules,
      Leases leases,
      PortHolder holder,
      List<Path> path) {
    this.host = host;
    this.path = path;
    this.portMap = new PortMap(host, rules, holder);
    this.ours =
        Map.of(
            Loopback.TYPE, new Loopback(),
            Bridge.TYPE, new Bridge(host, bridges, rules, this::find),
            HostLocal.TYPE, new HostLocal(leases),
            PortMap.TYPE, portMap);
  }

  /// The plugin of that type; if it is not ours, one that is executed.
  public Plugin find(String type) {
    return Optional.ofNullable(ours.get(type))
        .orElseGet(() -> new ExecutedPlugin(type, path, host));
  }

  /// Whether the plugin of that type is ours, which needs to know nothing of the pod but its host ports.
  public boolean isOurs(String type) {
    return ours.containsKey(type);
  }

  /// Our plugin for host ports.
  public PortMap portMap() {
    return portMap;
  }
}
