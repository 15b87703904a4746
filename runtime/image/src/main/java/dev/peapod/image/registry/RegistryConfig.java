package dev.peapod.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import dev.peapod.image.Credentials;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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

    Host withDefaultCredentials(Credentials other) {
      return new Host(plainHttp, caFile, skipVerify, credentials.or(() -> Optional.of(other)));
    }
  }

  public RegistryConfig {
    mirrors = Map.copyOf(mirrors);
    hosts = Map.copyOf(hosts);
  }

  /// No mirrors, no settings.
  public static RegistryConfig none() {
    return new RegistryConfig(Map.of(), Map.of());
  }

  /// Reads a `registries.yaml` (JSON will do); [RegistryConfigReader] describes it.
  ///
  /// @throws PeapodException INVALID, naming file and key
  public static RegistryConfig load(Path file) {
    return RegistryConfigReader.registries(file);
  }

  /// Reads the same from a tree that was parsed already.
  ///
  /// @param source names the tree's origin in errors
  /// @throws PeapodException INVALID, naming the key
  public static RegistryConfig of(JsonNode tree, String source) {
    return new RegistryConfigReader(source).registries(tree);
  }

  /// This, with the credentials of Docker's `config.json` for hosts that have none here.
  ///
  /// @throws PeapodException INVALID, naming the key
  public RegistryConfig withDockerConfig(Path file) {
    Map<String, Host> all = new LinkedHashMap<>(hosts);
    RegistryConfigReader.dockerConfig(file)
        .forEach(
            (name, credentials) ->
                all.compute(
                    name,
                    (key, host) ->
                        (host == null ? Host.DEFAULT : host).withDefaultCredentials(credentials)));
    return new RegistryConfig(mirrors, all);
  }

  /// The settings of a `host` or `host:port`.
  public Host host(String name) {
    return hosts.getOrDefault(name, Host.DEFAULT);
  }

  /// Where to ask for images of a registry: its mirrors in order, then itself.
  public List<Endpoint> endpoints(String registry) {
    List<Endpoint> endpoints = new ArrayList<>();
    for (URI mirror : mirrors.getOrDefault(registry, mirrors.getOrDefault("*", List.of()))) {
      endpoints.add(Endpoint.mirror(mirror, registry, host(mirror.getAuthority())));
    }
    Endpoint itself = Endpoint.upstream(registry, host(registry));
    endpoints.removeIf(mirror -> mirror.base().equals(itself.base()));
    endpoints.add(itself);
    return endpoints;
  }
}
