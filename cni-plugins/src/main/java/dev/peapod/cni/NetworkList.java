package dev.peapod.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peapod.cni.plugin.PluginConfig;
import dev.peapod.cni.spec.Json;
import dev.peapod.cni.spec.Keys;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.netlink.IpPrefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A network configuration list: the plugins that make a pod's network, in order. Immutable.
public final class NetworkList {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
  private static final Set<String> VERSIONS = Set.of("0.3.1", "0.4.0", "1.0.0", "1.1.0");
  private static final Set<String> KEYS =
      Set.of("cniVersion", "cniVersions", "name", "disableCheck", "disableGC", "plugins");
  private static final Set<String> OF_THE_LIST = Set.of("cniVersion", "name");

  private final ObjectNode json;
  private final String name;
  private final boolean checkDisabled;
  private final List<PluginConfig> plugins;
  private final List<Path> pluginPath;
  private final Optional<NetworkDefaults> defaults;

  private NetworkList(
      ObjectNode json,
      String name,
      boolean checkDisabled,
      List<PluginConfig> plugins,
      List<Path> pluginPath,
      Optional<NetworkDefaults> defaults) {
    this.json = json;
    this.name = name;
    this.checkDisabled = checkDisabled;
    this.plugins = List.copyOf(plugins);
    this.pluginPath = List.copyOf(pluginPath);
    this.defaults = defaults;
  }

  /// Reads the first `*.conflist`, `*.conf` or `*.json` of the directory in the order of names, or
  /// makes the built-in network if there is none.
  ///
  /// @param confDir where configurations stand; need not exist
  /// @param binDir where executed plugins stand; need not exist
  /// @throws PeapodException INVALID naming the file and the key if the configuration is wrong
  public static NetworkList load(Path confDir, Path binDir, NetworkDefaults defaults) {
    Optional<Path> file = first(confDir);
    if (file.isEmpty()) {
      return builtIn(binDir, defaults);
    }
    try {
      return parse(Files.readAllBytes(file.get()), file.get().toString(), List.of(binDir));
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, file.get() + " can not be read: " + e.getMessage(), e);
    }
  }

  /// Reads a list, or the configuration of a single plugin, which is taken for a list of one.
  ///
  /// @param source what it is, for errors
  /// @param pluginPath where executed plugins stand
  /// @throws PeapodException INVALID naming the key that is wrong
  public static NetworkList parse(byte[] text, String source, List<Path> pluginPath) {
    ObjectNode json = Json.read(text, source);
    return json.has("plugins")
        ? of(json, source, pluginPath)
        : of(listOfOne(json), source, pluginPath);
  }

  /// The network that pods get when nothing is configured.
  public static NetworkList builtIn(Path binDir, NetworkDefaults defaults) {
    ObjectNode json = Json.object().put("cniVersion", "1.0.0").put("name", defaults.name());
    var list = json.putArray("plugins");
    list.addObject().put("type", "loopback");
    ObjectNode bridge =
        list.addObject()
            .put("type", "bridge")
            .put("bridge", defaults.bridge())
            .put("isDefaultGateway", true)
            .put("ipMasq", true)
            .put("hairpinMode", true);
    if (defaults.mtu() != 0) {
      bridge.put("mtu", defaults.mtu());
    }
    bridge.putObject("ipam").put("type", "host-local").put("subnet", defaults.cidr());
    list.addObject().put("type", "portmap").putObject("capabilities").put("portMappings", true);
    return of(json, "the built-in network", List.of(binDir), Optional.of(defaults));
  }

  /// The built-in network with other addresses; empty if this is not the built-in network.
  Optional<NetworkList> withCidr(String cidr) {
    return defaults.map(d -> builtIn(pluginPath.getFirst(), d.withCidr(cidr)));
  }

  /// The bridge's address on the built-in network, with the length of the pods' range; empty if this is not the built-in
  /// network.
  Optional<IpPrefix> gateway() {
    return defaults.map(
        d -> {
          IpPrefix range = IpPrefix.parse(d.cidr());
          return new IpPrefix(range.first(), range.length());
        });
  }

  static NetworkList of(ObjectNode json, String source, List<Path> pluginPath) {
    return of(json, source, pluginPath, Optional.empty());
  }

  private static NetworkList of(
      ObjectNode json, String source, List<Path> pluginPath, Optional<NetworkDefaults> defaults) {
    Keys keys = new Keys(json, source);
    keys.allowOnly(KEYS);
    String version = keys.text("cniVersion");
    if (!VERSIONS.contains(version)) {
      throw PeapodException.invalid(
          source
              + ": key \"cniVersion\": version "
              + version
              + " is not supported, "
              + VERSIONS.stream().sorted().toList()
              + " are");
    }
    String name = keys.text("name");
    if (!NAME.matcher(name).matches()) {
      throw PeapodException.invalid(
          source
              + ": key \"name\": \""
              + name
              + "\" must begin with a letter or digit and have only letters, digits, _, . and -");
    }
    List<PluginConfig> plugins = new ArrayList<>();
    for (Keys plugin : keys.objects("plugins")) {
      String type = plugin.text("type");
      plugins.add(
          new PluginConfig(
              name,
              version,
              new Keys(plugin.node(), source + ": plugin " + plugins.size() + " (" + type + ")")));
    }
    if (plugins.isEmpty()) {
      throw PeapodException.invalid(source + ": key \"plugins\" is empty");
    }
    return new NetworkList(json, name, keys.flag("disableCheck"), plugins, pluginPath, defaults);
  }

  private static ObjectNode listOfOne(ObjectNode single) {
    ObjectNode list = Json.object();
    ObjectNode plugin = single.deepCopy();
    for (String key : OF_THE_LIST) {
      JsonNode value = plugin.remove(key);
      if (value != null) {
        list.set(key, value);
      }
    }
    list.putArray("plugins").add(plugin);
    return list;
  }

  private static Optional<Path> first(Path confDir) {
    if (!Files.isDirectory(confDir)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(confDir)) {
      return files
          .filter(file -> file.toString().matches(".*\\.(conflist|conf|json)"))
          .filter(Files::isRegularFile)
          .sorted()
          .findFirst();
    } catch (IOException e) {
      throw new PeapodException(
          PeapodException.Kind.INVALID, confDir + " can not be read: " + e.getMessage(), e);
    }
  }

  /// The network's name.
  public String name() {
    return name;
  }

  /// The plugins, in order.
  public List<PluginConfig> plugins() {
    return plugins;
  }

  /// Where executed plugins stand.
  public List<Path> pluginPath() {
    return pluginPath;
  }

  /// Whether the list forbids checks.
  boolean checkDisabled() {
    return checkDisabled;
  }

  /// The list as it was read.
  ObjectNode json() {
    return json;
  }
}
