package dev.peapod.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.JsonDocuments;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Sends GET requests to one endpoint: authenticates, follows redirects, tries again what may pass,
/// and turns what remains into a [PeapodException] with one sentence. Thread-safe.
///
/// Credentials are sent to the endpoint itself alone, never along a redirect to another origin.
final class EndpointCaller {
  private static final Duration HEADERS = Duration.ofSeconds(60);
  private static final int ATTEMPTS = 5;
  private static final int CONNECT_ATTEMPTS = 3;
  private static final int REDIRECTS = 10;
  private static final int CHALLENGES = 2;
  private static final int MAX_ERROR = 64 * 1024;
  private static final long FIRST_WAIT_MS = 200;
  private static final long LONGEST_WAIT_MS = 10_000;

  private final Endpoint endpoint;
  private final Authenticator authenticator;
  private final Transport transport;

  EndpointCaller(Endpoint endpoint, Authenticator authenticator, Transport transport) {
    this.endpoint = endpoint;
    this.authenticator = authenticator;
    this.transport = transport;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /// Asks for `path` below the endpoint's base.
  ///
  /// @param what is asked for, for errors, such as `image docker.io/library/nginx:1`
  /// @return a response of status 200 or 206, whose body the caller closes
  HttpResponse<InputStream> get(String path, Map<String, String> headers, String what) {
    String query = endpoint.mirrored().map(ns -> "?ns=" + ns).orElse("");
    URI uri = URI.create(endpoint.base() + path + query);
    try {
      return retrying(uri, headers, what);
    } catch (InterruptedException e) {
      throw Interruption.of(what);
    }
  }

  private HttpResponse<InputStream> retrying(URI uri, Map<String, String> headers, String what)
      throws InterruptedException {
    for (int attempt = 1; ; attempt++) {
      long wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS << (attempt - 1));
      try {
        HttpResponse<InputStream> response = following(uri, headers);
        int status = response.statusCode();
        if (status == 200 || status == 206) {
          return response;
        }
        boolean passing = status == 429 || (status >= 500 && status != 501 && status != 505);
        if (!passing || attempt == ATTEMPTS) {
          throw explain(response, what);
        }
        wait = Math.max(wait, retryAfter(response));
        response.body().close();
      } catch (IOException e) {
        boolean connecting = e instanceof ConnectException;
        if (e instanceof SSLException || attempt == (connecting ? CONNECT_ATTEMPTS : ATTEMPTS)) {
          throw explain(e, what);
        }
      }
      Thread.sleep(wait + ThreadLocalRandom.current().nextLong(wait / 4 + 1));
    }
  }

  private HttpResponse<InputStream> following(URI start, Map<String, String> headers)
      throws IOException, InterruptedException {
    Origin home = Origin.of(endpoint.base());
    URI uri = start;
    int challenges = 0;
    for (int hops = 0; ; ) {
      boolean atHome = Origin.of(uri).equals(home);
      String authorization = atHome ? authenticator.header() : null;
      HttpResponse<InputStream> response = transport.send(request(uri, headers, authorization));
      int status = response.statusCode();
      if (status == 401 && atHome && challenges++ < CHALLENGES) {
        response.body().close();
        authenticator.challenged(authorization, response.headers().allValues("WWW-Authenticate"));
      } else if (status == 301
          || status == 302
          || status == 303
          || status == 307
          || status == 308) {
        response.body().close();
        if (++hops > REDIRECTS) {
          throw new PeapodException(
              Kind.UNAVAILABLE, "registry " + endpoint.name() + " redirects in circles");
        }
        uri = target(uri, response);
      } else {
        return response;
      }
    }
  }

  private URI target(URI from, HttpResponse<?> response) {
    String location = response.headers().firstValue("Location").orElse("");
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      to = URI.create("invalid:/");
    }
    boolean http = "http".equals(to.getScheme()) || "https".equals(to.getScheme());
    if (location.isEmpty() || !http || to.getHost() == null || to.getUserInfo() != null) {
      throw new PeapodException(
          Kind.UNAVAILABLE,
          "registry "
              + endpoint.name()
              + " redirects to \""
              + location
              + "\", which is no address");
    }
    if (Origin.of(from).tls() && !Origin.of(to).tls()) {
      throw new PeapodException(
          Kind.UNAVAILABLE,
          "registry " + endpoint.name() + " redirects from HTTPS to HTTP: refused");
    }
    return to;
  }

  private static HttpRequest request(
      URI uri, Map<String, String> headers, @Nullable String authorization) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(HEADERS).GET();
    request.header("User-Agent", "peapod");
    headers.forEach(request::header);
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return request.build();
  }

  private static long retryAfter(HttpResponse<?> response) {
    Optional<String> header = response.headers().firstValue("Retry-After");
    if (header.isPresent() && header.get().matches("[0-9]{1,4}")) {
      return Math.min(LONGEST_WAIT_MS, Long.parseLong(header.get()) * 1000);
    }
    return 0;
  }

  private PeapodException explain(HttpResponse<InputStream> response, String what)
      throws IOException {
    String said;
    try (InputStream body = response.body()) {
      said = said(body.readNBytes(MAX_ERROR));
    }
    String registry = "registry " + endpoint.name();
    int status = response.statusCode();
    return switch (status) {
      case 404 -> new PeapodException(Kind.NOT_FOUND, registry + " has no " + what + said);
      case 401, 403 ->
          new PeapodException(
              Kind.PERMISSION_DENIED, registry + " does not let us pull " + what + said);
      case 429 ->
          new PeapodException(
              Kind.UNAVAILABLE, registry + " wants fewer requests; could not get " + what + said);
      default ->
          new PeapodException(
              status >= 500 ? Kind.UNAVAILABLE : Kind.FAILED_PRECONDITION,
              registry + " answers " + status + " when asked for " + what + said + hint(said));
    };
  }

  private static String hint(String said) {
    return said.contains("HTTP request to an HTTPS server")
        ? " (set plain_http: false for it in registries.yaml)"
        : "";
  }

  private static String said(byte[] body) {
    String text = new String(body, StandardCharsets.UTF_8);
    try {
      JsonNode error = JsonDocuments.object(body, "error").path("errors").path(0);
      text = error.path("message").asText(error.path("code").asText(""));
    } catch (PeapodException e) {
      // Not JSON: what it says is shown as it is.
    }
    String clean = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    if (clean.isEmpty() || clean.startsWith("<")) {
      return "";
    }
    return ": " + (clean.length() <= 200 ? clean : clean.substring(0, 200) + "...");
  }

  private PeapodException explain(IOException e, String what) {
    String registry = "registry " + endpoint.name();
    String reason =
        switch (e) {
          case HttpConnectTimeoutException c -> "it does not answer";
          case HttpTimeoutException t -> "it takes longer than a minute to answer";
          case ConnectException c when c.getCause() instanceof UnresolvedAddressException ->
              "there is no host of that name";
          case UnknownHostException u -> "there is no host of that name";
          case ConnectException c -> "nothing answers there (connection refused)";
          case SSLException s -> tls(s);
          default -> "the connection breaks: " + e.getMessage();
        };
    return new PeapodException(
        Kind.UNAVAILABLE, registry + " can not be asked for " + what + ": " + reason, e);
  }

  private static String tls(SSLException e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("Unsupported or unrecognized SSL message")
        || message.contains("plaintext")) {
      return "it does not speak HTTPS (set plain_http: true for it in registries.yaml)";
    }
    if (message.contains("PKIX") || message.contains("certification path")) {
      return "its certificate is not signed by an authority that is trusted"
          + " (set tls.ca_file for it in registries.yaml)";
    }
    return "its TLS is not acceptable: " + message;
  }
}
