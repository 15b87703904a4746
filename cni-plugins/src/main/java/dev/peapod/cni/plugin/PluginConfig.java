package dev.peapod.cni.plugin;

import dev.peapod.cni.spec.Keys;

/// The configuration of one plugin in a network's list.
///
/// @param network the network's name
/// @param cniVersion the version of the specification that the list is written in
/// @param keys the plugin's own object
public record PluginConfig(String network, String cniVersion, Keys keys) {
  /// Which plugin it is for.
  public String type() {
    return keys.text("type");
  }

  /// Whether the list says that the plugin takes the runtime's arguments of that kind, such as
  /// `portMappings`.
  public boolean takes(String capability) {
    return keys.object("capabilities").map(all -> all.flag(capability)).orElse(false);
  }
}
