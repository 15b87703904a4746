package dev.peapod.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.Credentials;
import dev.peapod.image.Digest;
import dev.peapod.image.Reference;
import dev.peapod.image.manifest.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What registries and networks do wrong, done by a small server of the test's own.
class BrokenRegistryTest {
  private static final byte[] MANIFEST =
      "{\"schemaVersion\":2,\"manifests\":[]}".getBytes(StandardCharsets.UTF_8);

  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private record Seen(String path, String authorization, String range) {}

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();
  private RegistryClient client;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    client = new RegistryClient(RegistryConfig.none(), 1);
    server = server("127.0.0.1");
  }

  @AfterEach
  void stop() {
    client.close();
    servers.forEach(s -> s.stop(0));
    threads.close();
  }

  private HttpServer server(String address) throws IOException {
    HttpServer made =
        HttpServer.create(new InetSocketAddress(InetAddress.getByName(address), 0), 0);
    made.setExecutor(threads);
    made.start();
    servers.add(made);
    return made;
  }

  private static String host(HttpServer server) {
    return server.getAddress().getAddress().getHostAddress() + ":" + server.getAddress().getPort();
  }

  private void on(HttpServer where, String path, Answer answer) {
    where.createContext(
        path,
        exchange -> {
          seen.add(
              new Seen(
                  exchange.getRequestURI().toString(),
                  String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
                  String.valueOf(exchange.getRequestHeaders().getFirst("Range"))));
          try (exchange) {
            answer.to(exchange);
          }
        });
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  private ImageSource source(Credentials... credentials) {
    return client.source(reference(), Arrays.stream(credentials).findFirst());
  }

  private Reference reference() {
    return Reference.parse(host(server) + "/app:1");
  }

  private byte[] read(byte[] content) throws IOException {
    Descriptor descriptor =
        new Descriptor("", Digest.of(content), content.length, Optional.empty(), Map.of());
    try (InputStream in = source().blob(descriptor, "layer x")) {
      return in.readAllBytes();
    }
  }

  private static byte[] bytes(int count) {
    byte[] content = new byte[count];
    new Random(count).nextBytes(content);
    return content;
  }

  private void assertFails(Kind kind, String... said) {
    assertThatThrownBy(() -> source().manifest())
        .isInstanceOf(PeapodException.class)
        .hasMessageContainingAll(said)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(kind));
  }

  @Test
  void takesUpABrokenBlobWhereItBroke() throws IOException {
    byte[] content = bytes(1_000_000);
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          String range = exchange.getRequestHeaders().getFirst("Range");
          int from = range == null ? 0 : Integer.parseInt(range.substring(6, range.length() - 1));
          int to = Math.min(content.length, from + 300_000);
          if (from > 0) {
            exchange
                .getResponseHeaders()
                .set(
                    "Content-Range",
                    "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
          }
          exchange.sendResponseHeaders(from == 0 ? 200 : 206, content.length - from);
          exchange.getResponseBody().write(content, from, to - from);
          exchange.getResponseBody().flush();
        });
    assertThat(read(content)).isEqualTo(content);
    assertThat(seen.getFirst().range()).isEqualTo("null");
    assertThat(seen.stream().skip(1)).allSatisfy(s -> assertThat(s.range()).startsWith("bytes="));
    assertThat(seen).hasSizeBetween(4, 8);
  }

  @Test
  void readsOnWithoutRange() throws IOException {
    byte[] content = bytes(500_000);
    AtomicInteger calls = new AtomicInteger();
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          int count = calls.incrementAndGet() == 1 ? 200_000 : content.length;
          exchange.getResponseBody().write(content, 0, count);
          exchange.getResponseBody().flush();
        });
    assertThat(read(content)).isEqualTo(content);
    assertThat(calls).hasValue(2);
  }

  @Test
  void refusesAnotherPartThanItAskedFor() {
    byte[] content = bytes(500_000);
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          boolean first = exchange.getRequestHeaders().getFirst("Range") == null;
          exchange.getResponseHeaders().set("Content-Range", "bytes 7-9/500000");
          exchange.sendResponseHeaders(first ? 200 : 206, content.length);
          exchange.getResponseBody().write(content, 0, 100_000);
          exchange.getResponseBody().flush();
        });
    assertThatThrownBy(() -> read(content)).hasMessageContaining("another part");
  }

  @Test
  void endsAStallAndGoesOn() throws IOException {
    byte[] content = bytes(400_000);
    AtomicInteger calls = new AtomicInteger();
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          boolean first = calls.incrementAndGet() == 1;
          exchange.getResponseBody().write(content, 0, first ? 100_000 : content.length);
          exchange.getResponseBody().flush();
          while (first && calls.get() == 1) {
            // Says nothing more until the client has given this connection up.
            Thread.onSpinWait();
            Thread.yield();
          }
        });
    assertThat(read(content)).isEqualTo(content);
    assertThat(calls).hasValue(2);
  }

  @Test
  void givesUpOnABlobThatNeverComes() {
    byte[] content = bytes(1000);
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().flush();
        });
    assertThatThrownBy(() -> read(content))
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("breaks again and again");
  }

  @Test
  void triesAgainAfterAnErrorOfTheServer() {
    AtomicInteger calls = new AtomicInteger();
    on(
        server,
        "/v2/app/manifests/1",
        exchange -> {
          switch (calls.incrementAndGet()) {
            case 1 -> send(exchange, 500, new byte[0]);
            case 2 -> {
              exchange.getResponseHeaders().set("Retry-After", "0");
              send(exchange, 429, new byte[0]);
            }
            default -> send(exchange, 200, MANIFEST);
          }
        });
    assertThat(source().manifest().digest()).isEqualTo(Digest.of(MANIFEST));
    assertThat(calls).hasValue(3);
  }

  @Test
  void saysWhatTheServerSays() {
    on(
        server,
        "/v2/app/manifests/1",
        exchange ->
            send(
                exchange,
                503,
                "{\"errors\":[{\"message\":\"disk\\u0007 on fire\"}]}"
                    .getBytes(StandardCharsets.UTF_8)));
    assertFails(Kind.UNAVAILABLE, "answers 503", "disk on fire", host(server), "app:1");
    assertThat(seen).hasSize(5);
  }

  @Test
  void refusesAManifestOfAnotherDigest() {
    on(server, "/v2/app/manifests/", exchange -> send(exchange, 200, MANIFEST));
    Digest asked = Digest.of(new byte[1]);
    assertThatThrownBy(() -> source().manifest(asked))
        .hasMessageContaining("does not have its digest " + asked);
  }

  @Test
  void refusesAManifestThatIsTooLarge() {
    on(
        server,
        "/v2/app/manifests/1",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] part = new byte[1 << 20];
          try {
            for (int i = 0; i < 1000; i++) {
              exchange.getResponseBody().write(part);
            }
          } catch (IOException e) {
            // The client has had enough.
          }
        });
    assertFails(Kind.INVALID, "larger than 4 MiB");
  }

  @Test
  void tradesCredentialsForAToken() {
    tokenServer("u", "p", "secret-token");
    ImageSource source = source(new Credentials.UserPassword("u", "p"));
    assertThat(source.manifest().digest()).isEqualTo(Digest.of(MANIFEST));
    assertThat(seen.stream().filter(s -> s.path().startsWith("/token")))
        .singleElement()
        .satisfies(
            s -> {
              assertThat(s.path())
                  .isEqualTo("/token?a=b&service=reg%2C1&scope=repository%3Aapp%3Apull");
              assertThat(s.authorization()).startsWith("Basic ");
            });
    // The token is used again.
    source.manifest();
    assertThat(seen.stream().filter(s -> s.path().startsWith("/token"))).hasSize(1);
  }

  @Test
  void saysThatCredentialsAreWrongOrMissing() {
    tokenServer("u", "p", "t");
    assertThatThrownBy(() -> source(new Credentials.UserPassword("u", "wrong")).manifest())
        .hasMessageContaining("does not accept the password of user \"u\"")
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(Kind.PERMISSION_DENIED));
    assertFails(Kind.PERMISSION_DENIED, "wants credentials, and none are known");
  }

  private void tokenServer(String user, String password, String token) {
    String basic =
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    on(
        server,
        "/token",
        exchange -> {
          boolean good = basic.equals(exchange.getRequestHeaders().getFirst("Authorization"));
          send(
              exchange,
              good ? 200 : 401,
              ("{\"token\":\"" + token + "\"}").getBytes(StandardCharsets.UTF_8));
        });
    on(
        server,
        "/v2/app/manifests/1",
        exchange -> {
          String shown = exchange.getRequestHeaders().getFirst("Authorization");
          if (("Bearer " + token).equals(shown)) {
            send(exchange, 200, MANIFEST);
          } else {
            exchange
                .getResponseHeaders()
                .set(
                    "WWW-Authenticate",
                    "Bearer realm=\"http://"
                        + host(server)
                        + "/token?a=b\",service=\"reg,1\",scope=\"repository:app:pull\"");
            send(exchange, 401, new byte[0]);
          }
        });
  }

  @Test
  void showsARegistryTokenAsItIs() {
    tokenServer("u", "p", "mine");
    assertThat(source(new Credentials.RegistryToken("mine")).manifest().digest())
        .isEqualTo(Digest.of(MANIFEST));
    assertThat(seen).hasSize(1);
  }

  @Test
  void keepsCredentialsFromOtherHosts() throws IOException {
    HttpServer other = server("127.0.0.2");
    byte[] content = bytes(1000);
    on(other, "/elsewhere", exchange -> send(exchange, 200, content));
    on(
        server,
        "/v2/app/blobs/",
        exchange -> {
          if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
            send(exchange, 401, new byte[0]);
          } else {
            exchange.getResponseHeaders().set("Location", "http://" + host(other) + "/elsewhere");
            send(exchange, 307, new byte[0]);
          }
        });
    Descriptor descriptor =
        new Descriptor("", Digest.of(content), content.length, Optional.empty(), Map.of());
    ImageSource source = source(new Credentials.UserPassword("u", "p"));
    assertThat(source.document(descriptor, 1 << 20, "x")).isEqualTo(content);
    assertThat(seen)
        .filteredOn(s -> s.path().startsWith("/v2"))
        .last()
        .satisfies(s -> assertThat(s.authorization()).startsWith("Basic "));
    assertThat(seen)
        .filteredOn(s -> s.path().equals("/elsewhere"))
        .singleElement()
        .satisfies(s -> assertThat(s.authorization()).isEqualTo("null"));
  }

  @Test
  void doesNotFollowCirclesOrOtherSchemes() {
    on(
        server,
        "/v2/app/manifests/1",
        exchange -> {
          exchange.getResponseHeaders().set("Location", exchange.getRequestURI().toString());
          send(exchange, 302, new byte[0]);
        });
    assertFails(Kind.UNAVAILABLE, "in circles");
    server.removeContext("/v2/app/manifests/1");
    on(
        server,
        "/v2/app/manifests/1",
        exchange -> {
          exchange.getResponseHeaders().set("Location", "file:///etc/passwd");
          send(exchange, 302, new byte[0]);
        });
    assertFails(Kind.UNAVAILABLE, "file:///etc/passwd");
  }

  @Test
  void asksMirrorsFirstAndNeverShowsThemTheCallersCredentials() throws IOException {
    HttpServer dead = server("127.0.0.3");
    String deadHost = host(dead);
    dead.stop(0);
    HttpServer empty = server("127.0.0.4");
    on(empty, "/", exchange -> send(exchange, 404, new byte[0]));
    on(server, "/v2/app/manifests/1", exchange -> send(exchange, 200, MANIFEST));
    RegistryConfig config =
        new RegistryConfig(
            Map.of(
                "*",
                List.of(URI.create("http://" + deadHost), URI.create("http://" + host(empty)))),
            Map.of());
    try (RegistryClient mirrored = new RegistryClient(config)) {
      ImageSource source =
          mirrored.source(reference(), Optional.of(new Credentials.RegistryToken("t")));
      assertThat(source.manifest().digest()).isEqualTo(Digest.of(MANIFEST));
    }
    assertThat(seen).hasSize(2);
    assertThat(seen.getFirst().path()).isEqualTo("/v2/app/manifests/1?ns=" + host(server));
    assertThat(seen.getFirst().authorization()).isEqualTo("null");
    assertThat(seen.getLast().authorization()).isEqualTo("Bearer t");
  }

  @Test
  void readsChallenges() {
    assertThat(
            Challenge.parse(
                List.of("Basic realm=\"a, b\", Bearer realm=\"http://x?y=\\\"z\\\"\",service=s")))
        .containsExactly(
            new Challenge("basic", Map.of("realm", "a, b")),
            new Challenge("bearer", Map.of("realm", "http://x?y=\"z\"", "service", "s")));
    assertThat(Challenge.parse(List.of("", "=", "\"", "a".repeat(100_000)))).hasSizeLessThan(3);
  }
}
