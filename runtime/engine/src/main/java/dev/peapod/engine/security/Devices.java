package dev.peapod.engine.security;

import dev.peapod.engine.model.ContainerSpec;
import dev.peapod.engine.model.DeviceSpec;
import dev.peapod.engine.state.ResolvedDevice;
import dev.peapod.engine.state.ResolvedSecurity;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.DeviceNodes;
import dev.peapod.linux.DeviceNodes.DeviceNode;
import dev.peapod.linux.KernelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Which device nodes a container has, and which devices its cgroup lets it use.
public final class Devices {
  private static final String DEV = "/dev/";
  private static final Pattern PERMISSIONS = Pattern.compile("(?!.*(.).*\\1)[rwm]+");
  private static final int S_IFCHR = 0x2000;

  /// Names in `/dev` that are a container's own, whatever the host has there.
  private static final Set<String> OWN =
      Set.of(
          "console", "core", "fd", "mqueue", "ptmx", "pts", "shm", "stderr", "stdin", "stdout");

  /// Any node may be made, few devices may be opened: a container that may make device nodes must
  /// not reach the host's disks by them.
  private static final List<String> DEFAULT_RULES =
      List.of(
          "c *:* m",
          "b *:* m",
          "c 1:3 rwm",
          "c 1:5 rwm",
          "c 1:7 rwm",
          "c 1:8 rwm",
          "c 1:9 rwm",
          "c 5:0 rwm",
          "c 5:1 rwm",
          "c 5:2 rwm",
          "c 136:* rwm");

  private static final List<ResolvedDevice> DEFAULT =
      List.of(
          standard("null", 1, 3),
          standard("zero", 1, 5),
          standard("full", 1, 7),
          standard("random", 1, 8),
          standard("urandom", 1, 9),
          standard("tty", 5, 0));

  private Devices() {}

  private static ResolvedDevice standard(String name, int major, int minor) {
    return new ResolvedDevice(DEV + name, S_IFCHR | 0666, (long) major << 8 | minor, 0, 0, "");
  }

  /// Finds the devices that the request names.
  ///
  /// @throws PeapodException INVALID naming the field
  static List<ResolvedDevice> resolve(ContainerSpec spec) {
    Map<String, ResolvedDevice> found = new LinkedHashMap<>();
    for (int i = 0; i < spec.devices().size(); i++) {
      String field = "container \"" + spec.name() + "\": devices[" + i + "]";
      for (ResolvedDevice device : resolve(field, spec.devices().get(i))) {
        if (found.putIfAbsent(device.path(), device) != null) {
          throw PeapodException.invalid(
              field + ".container_path \"" + device.path() + "\" is given twice");
        }
      }
    }
    boolean ownDev =
        spec.mounts().stream()
            .anyMatch(m -> Path.of(m.containerPath()).normalize().equals(Path.of("/dev")));
    if (ownDev && !found.isEmpty()) {
      throw PeapodException.invalid(
          "container \"" + spec.name() + "\": devices can not be made in a /dev that is mounted");
    }
    return List.copyOf(found.values());
  }

  private static List<ResolvedDevice> resolve(String field, DeviceSpec spec) {
    String host = spec.hostPath();
    if (!host.startsWith("/") || host.indexOf('\0') >= 0) {
      throw PeapodException.invalid(field + ".host_path \"" + host + "\" is not absolute");
    }
    if (!PERMISSIONS.matcher(spec.permissions()).matches()) {
      throw PeapodException.invalid(
          field
              + ".permissions \""
              + spec.permissions()
              + "\" is not made of the letters r, w and m");
    }
    String target = spec.containerPath().isEmpty() ? host : spec.containerPath();
    try {
      Optional<DeviceNode> node = DeviceNodes.at(host);
      if (node.isPresent()) {
        return List.of(resolved(field, node.get(), target, spec.permissions()));
      }
      List<ResolvedDevice> all = new ArrayList<>();
      for (DeviceNode below : DeviceNodes.below(host, Set.of())) {
        String path = target + below.path().substring(host.length());
        all.add(resolved(field, below, path, spec.permissions()));
      }
      if (!all.isEmpty()) {
        return all;
      }
    } catch (KernelException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID,
          field + ".host_path \"" + host + "\" is not a device: " + e.getMessage(),
          e);
    }
    throw PeapodException.invalid(
        field + ".host_path \"" + host + "\" is a directory without devices");
  }

  private static ResolvedDevice resolved(
      String field, DeviceNode node, String path, String permissions) {
    boolean plain = path.chars().allMatch(c -> c >= ' ' && c != 0x7f);
    String normal = plain ? Path.of(path).normalize().toString() : "";
    if (!normal.startsWith(DEV)) {
      throw PeapodException.invalid(
          field + ".container_path \"" + path + "\" is not a path below /dev");
    }
    String first = normal.substring(DEV.length()).split("/", 2)[0];
    if (OWN.contains(first)) {
      throw PeapodException.invalid(
          field + ".container_path \"" + path + "\": /dev/" + first + " is the container's own");
    }
    String rule =
        (node.isBlock() ? "b " : "c ") + node.major() + ":" + node.minor() + " " + permissions;
    return new ResolvedDevice(normal, node.mode(), node.device(), node.uid(), node.gid(), rule);
  }

  /// The nodes that are made in a container's `/dev`: the standard ones, all of the host's in a
  /// privileged container, and those of the request.
  public static List<ResolvedDevice> nodes(ContainerSpec spec, ResolvedSecurity security) {
    if (!spec.security().privileged() && security.devices().isEmpty()) {
      return DEFAULT;
    }
    Map<String, ResolvedDevice> nodes = new LinkedHashMap<>();
    DEFAULT.forEach(device -> nodes.put(device.path(), device));
    if (spec.security().privileged()) {
      for (DeviceNode node : DeviceNodes.below("/dev", OWN)) {
        nodes.putIfAbsent(
            node.path(),
            new ResolvedDevice(
                node.path(), node.mode(), node.device(), node.uid(), node.gid(), ""));
      }
    }
    security.devices().forEach(device -> nodes.put(device.path(), device));
    return List.copyOf(nodes.values());
  }

  /// What the device cgroup lets through; nothing: no restriction.
  public static Optional<List<String>> rules(ContainerSpec spec, ResolvedSecurity security) {
    if (spec.security().privileged()) {
      return Optional.empty();
    }
    if (security.devices().isEmpty()) {
      return Optional.of(DEFAULT_RULES);
    }
    List<String> rules = new ArrayList<>(DEFAULT_RULES);
    security.devices().forEach(device -> rules.add(device.rule()));
    return Optional.of(rules);
  }
}
