package dev.peapod.image.registry;

import dev.peapod.image.Credentials;
import dev.peapod.image.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Pulls from registries as they are configured. Thread-safe.
public final class RegistryClient implements AutoCloseable {
  private static final int STALL_SECONDS = 60;

  private final RegistryConfig config;
  private final HttpClients clients = new HttpClients();
  private final StallGuard guard;

  public RegistryClient(RegistryConfig config) {
    this(config, STALL_SECONDS);
  }

  RegistryClient(RegistryConfig config, long stallSeconds) {
    this.config = config;
    this.guard = new StallGuard(stallSeconds);
  }

  /// Prepares to pull one image; nothing is sent yet.
  ///
  /// @param credentials for the image's own registry, instead of configured ones; mirrors never see
  /// them
  public ImageSource source(Reference reference, Optional<Credentials> credentials) {
    Transport transport = new Transport(config, clients);
    List<EndpointCaller> callers = new ArrayList<>();
    for (Endpoint endpoint : config.endpoints(reference.registry())) {
      Optional<Credentials> own = endpoint.settings().credentials();
      Optional<Credentials> shown = endpoint.mirrored().isEmpty() ? credentials.or(() -> own) : own;
      Authenticator authenticator =
          new Authenticator(endpoint, reference.repository(), shown, transport);
      callers.add(new EndpointCaller(endpoint, authenticator, transport));
    }
    return new ImageSource(reference, callers, guard);
  }

  @Override
  public void close() {
    guard.close();
    clients.close();
  }
}
