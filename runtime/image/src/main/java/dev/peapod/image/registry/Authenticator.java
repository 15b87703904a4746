package dev.peapod.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Credentials;
import dev.peapod.image.JsonDocuments;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Answers an endpoint's challenges: Basic, or a Bearer token fetched from the server that it
/// names.
///
/// One for each endpoint, repository and pull, so that no token serves anybody else. Thread-safe.
final class Authenticator {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_ANSWER = 1 << 20;

  private final Endpoint endpoint;
  private final String repository;
  private final Optional<Credentials> credentials;
  private final Transport transport;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable String header;

  Authenticator(
      Endpoint endpoint,
      String repository,
      Optional<Credentials> credentials,
      Transport transport) {
    this.endpoint = endpoint;
    this.repository = repository;
    this.credentials = credentials;
    this.transport = transport;
    if (credentials.orElse(null) instanceof Credentials.RegistryToken(String token)) {
      header = "Bearer " + token;
    }
  }

  /// What to send as `Authorization` now; null for nothing.
  @Nullable String header() {
    return header;
  }

  /// Takes a 401 in: finds another header than the one that was refused.
  ///
  /// @throws PeapodException PERMISSION_DENIED if there is none
  void challenged(@Nullable String refused, List<String> headers)
      throws IOException, InterruptedException {
    lock.lockInterruptibly();
    try {
      String present = header;
      if (present != null && !present.equals(refused)) {
        // Another thread has found one meanwhile.
        return;
      }
      List<Challenge> challenges = Challenge.parse(headers);
      Optional<Challenge> bearer = Challenge.of(challenges, "bearer");
      String found;
      if (bearer.isPresent() && !(credentials.orElse(null) instanceof Credentials.RegistryToken)) {
        found = "Bearer " + token(bearer.get());
      } else if (Challenge.of(challenges, "basic").isPresent()
          && credentials.orElse(null) instanceof Credentials.UserPassword user) {
        found = basic(user);
      } else {
        throw denied();
      }
      if (found.equals(refused)) {
        throw denied();
      }
      header = found;
    } finally {
      lock.unlock();
    }
  }

  private String token(Challenge challenge) throws IOException, InterruptedException {
    String realm = challenge.parameter("realm");
    URI uri = uri(realm);
    if (Origin.of(endpoint.base()).tls() && !Origin.of(uri).tls()) {
      throw new PeapodException(
          Kind.PERMISSION_DENIED,
          "registry "
              + endpoint.name()
              + " sends to "
              + realm
              + " for a token, which is not HTTPS: refused");
    }
    String scope = challenge.parameter("scope");
    if (scope.isEmpty()) {
      scope = "repository:" + repository + ":pull";
    }
    HttpRequest.Builder request;
    if (credentials.orElse(null) instanceof Credentials.IdentityToken(String refresh)) {
      String form =
          "grant_type=refresh_token&client_id=peapod&service="
              + encode(challenge.parameter("service"))
              + "&scope="
              + encode(scope)
              + "&refresh_token="
              + encode(refresh);
      request =
          HttpRequest.newBuilder(uri)
              .header("Content-Type", "application/x-www-form-urlencoded")
              .POST(HttpRequest.BodyPublishers.ofString(form));
    } else {
      String query =
          (uri.getRawQuery() == null ? "?" : "&")
              + "service="
              + encode(challenge.parameter("service"))
              + "&scope="
              + encode(scope);
      request = HttpRequest.newBuilder(URI.create(uri + query)).GET();
      if (credentials.orElse(null) instanceof Credentials.UserPassword user) {
        request.header("Authorization", basic(user));
      }
    }
    return fetch(uri, request.timeout(TIMEOUT).build());
  }

  private String fetch(URI uri, HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = transport.send(request);
    byte[] body;
    try (InputStream in = response.body()) {
      body = in.readNBytes(MAX_ANSWER);
    }
    int status = response.statusCode();
    if (status == 401 || status == 403 || status == 400) {
      throw denied();
    }
    if (status != 200) {
      throw new PeapodException(
          Kind.UNAVAILABLE, "the token server " + uri.getHost() + " answers " + status);
    }
    JsonNode answer = JsonDocuments.object(body, "the answer of token server " + uri.getHost());
    String token = answer.path("token").asText("");
    token = token.isEmpty() ? answer.path("access_token").asText("") : token;
    if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new PeapodException(
          Kind.UNAVAILABLE, "the token server " + uri.getHost() + " gives no usable token");
    }
    return token;
  }

  private URI uri(String realm) {
    try {
      URI uri = URI.create(realm);
      String scheme = String.valueOf(uri.getScheme());
      if ((scheme.equals("http") || scheme.equals("https")) && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new PeapodException(
        Kind.UNAVAILABLE,
        "registry "
            + endpoint.name()
            + " asks for a token from \""
            + realm
            + "\", which is no address");
  }

  private PeapodException denied() {
    String who =
        switch (credentials.orElse(null)) {
          case null -> "it wants credentials, and none are known";
          case Credentials.UserPassword user ->
              "it does not accept the password of user \"" + user.username() + "\"";
          case Credentials.IdentityToken t -> "it does not accept the identity token";
          case Credentials.RegistryToken t -> "it does not accept the registry token";
        };
    return new PeapodException(
        Kind.PERMISSION_DENIED,
        "registry " + endpoint.name() + " does not let us pull " + repository + ": " + who);
  }

  private static String basic(Credentials.UserPassword user) {
    String pair = user.username() + ":" + user.password();
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
