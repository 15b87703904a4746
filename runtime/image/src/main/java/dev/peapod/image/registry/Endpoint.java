package dev.peapod.image.registry;

import java.net.URI;
import java.util.Optional;

/// A place to ask for the images of a registry: the registry itself or a mirror of it.
///
/// @param name `host` or `host:port`, as people know it
/// @param base ends in `/v2`
/// @param mirrored the registry that this one stands for; absent if it is itself
public record Endpoint(
    String name, URI base, Optional<String> mirrored, RegistryConfig.Host settings) {
  static Endpoint mirror(URI uri, String registry, RegistryConfig.Host settings) {
    String path = uri.getPath().replaceAll("/+$", "");
    boolean complete = path.equals("/v2") || path.startsWith("/v2/") || path.endsWith("/v2");
    URI base =
        URI.create(uri.getScheme() + "://" + uri.getAuthority() + path + (complete ? "" : "/v2"));
    return new Endpoint(uri.getAuthority(), base, Optional.of(registry), settings);
  }

  static Endpoint upstream(String registry, RegistryConfig.Host settings) {
    String host = registry.equals("docker.io") ? "registry-1.docker.io" : registry;
    boolean tls = settings.caFile().isPresent() || settings.skipVerify();
    boolean plain = settings.plainHttp().orElse(!tls && isLoopback(registry));
    URI base = URI.create((plain ? "http://" : "https://") + host + "/v2");
    return new Endpoint(registry, base, Optional.empty(), settings);
  }

  private static boolean isLoopback(String registry) {
    String host = registry.replaceFirst(":[0-9]+$", "");
    return host.equals("localhost")
        || host.endsWith(".localhost")
        || host.equals("[::1]")
        || host.matches("127(\\.[0-9]{1,3}){3}");
  }
}
