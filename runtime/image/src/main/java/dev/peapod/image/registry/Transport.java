package dev.peapod.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/// Sends single requests, each with the TLS settings of the host that it goes to. Thread-safe.
record Transport(RegistryConfig config, HttpClients clients) {
  HttpResponse<InputStream> send(HttpRequest request) throws IOException, InterruptedException {
    URI uri = request.uri();
    String name = uri.getAuthority();
    RegistryConfig.Host settings = config.host(name);
    if (settings.equals(RegistryConfig.Host.DEFAULT) && name.equals("registry-1.docker.io")) {
      settings = config.host("docker.io");
    }
    return clients
        .client(name, settings, Origin.of(uri).tls())
        .send(request, HttpResponse.BodyHandlers.ofInputStream());
  }
}
