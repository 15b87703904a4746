package dev.peapod.image.registry;

import dev.peapod.image.Credentials;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How registries are reached: mirrors, plain HTTP, certificate authorities, credentials.
///
/// @param mirrors of a registry host, in the order to try; the key `*` is for all hosts not named
/// @param hosts settings of a `host` or `host:port`
public record RegistryConfig(Map<String, List<URI>> mirrors, Map<String, Host> hosts) {
  /// Settings of one registry host.
  ///
  /// @param plainHttp HTTP without TLS; absent: for loopback addresses without TLS settings only
  /// @param caFile PEM certificates to trust besides those of the system
  /// @param skipVerify trust any certificate
  public record Host(
      Optional<Boolean> plainHttp,
      Optional<Path> caFile,
      boolean skipVerify,
      Optional<Credentials> credentials) {
    /// A host that nothing is said about.
    public static final Host DEFAULT =
        new Host(Optional.empty(), Optional.empty(), false, Optional.empty());
  }

  public RegistryConfig {
    mirrors = Map.copyOf(mirrors);
    hosts = Map.copyOf(hosts);
  }

  /// No mirrors, no settings.
  public static RegistryConfig none() {
    return new RegistryConfig(Map.of(), Map.of());
  }
}
