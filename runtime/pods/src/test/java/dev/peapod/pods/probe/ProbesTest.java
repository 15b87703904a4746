package dev.peapod.pods.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProbesTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private HttpServer server;
  private final AtomicInteger status = new AtomicInteger(200);
  private volatile Map<String, List<String>> seen = Map.of();

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          seen = Map.copyOf(exchange.getRequestHeaders());
          byte[] body = "hello\n".getBytes(StandardCharsets.UTF_8);
          switch (exchange.getRequestURI().getPath()) {
            case "/away" ->
                exchange.getResponseHeaders().add("Location", "http://example.invalid/");
            case "/here" -> exchange.getResponseHeaders().add("Location", "/ok");
            case "/loop" -> exchange.getResponseHeaders().add("Location", "/loop");
            default -> {}
          }
          int code =
              switch (exchange.getRequestURI().getPath()) {
                case "/away", "/here", "/loop" -> 302;
                default -> status.get();
              };
          exchange.sendResponseHeaders(code, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private ProbeResult get(String path) {
    return get(path, List.of());
  }

  private ProbeResult get(String path, List<Map.Entry<String, String>> headers) {
    return new ProbeAction.Http("HTTP", "127.0.0.1", server.getAddress().getPort(), path, headers)
        .perform(SECOND, (command, timeout) -> ProbeResult.failed("no"));
  }

  @Test
  void judgesByStatus() {
    assertThat(get("/").success()).isTrue();
    status.set(204);
    assertThat(get("/x?y=z").success()).isTrue();
    status.set(400);
    assertThat(get("/")).isEqualTo(ProbeResult.failed("HTTP probe failed with statuscode: 400"));
    status.set(503);
    assertThat(get("/").success()).isFalse();
  }

  @Test
  void followsRedirectsWithinTheHostOnly() {
    assertThat(get("/here").success()).isTrue();
    assertThat(get("/away").success()).isTrue();
    assertThat(get("/loop")).isEqualTo(ProbeResult.failed("stopped after 10 redirects"));
    status.set(500);
    assertThat(get("/here").success()).isFalse();
  }

  @Test
  void sendsTheHeadersOfTheManifest() {
    get("/", List.of(Map.entry("X-Probe", "1"), Map.entry("Host", "pea.example")));
    assertThat(seen)
        .containsEntry("X-probe", List.of("1"))
        .containsEntry("Host", List.of("pea.example"));
    assertThat(seen.getOrDefault("User-agent", List.of()))
        .singleElement()
        .asString()
        .startsWith("kube-probe/");
  }

  @Test
  void noticesThatNobodyListens() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    ProbeAction.Tcp tcp = new ProbeAction.Tcp("127.0.0.1", port);
    assertThat(tcp.perform(SECOND, (c, t) -> ProbeResult.ok("")))
        .extracting(ProbeResult::success)
        .isEqualTo(false);
    ProbeAction.Http http = new ProbeAction.Http("HTTP", "127.0.0.1", port, "/", List.of());
    assertThat(http.perform(SECOND, (c, t) -> ProbeResult.ok("")).message()).contains("refused");
  }

  @Test
  void connectsToWhoListens() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      ProbeAction.Tcp tcp = new ProbeAction.Tcp("127.0.0.1", socket.getLocalPort());
      assertThat(tcp.perform(SECOND, (c, t) -> ProbeResult.failed("")).success()).isTrue();
    }
  }

  @Test
  void givesUpOnAServerThatDrips() throws IOException {
    AtomicBoolean over = new AtomicBoolean();
    try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.startVirtualThread(
          () -> {
            try (Socket client = socket.accept()) {
              while (!over.get()) {
                client.getOutputStream().write('H');
                Thread.sleep(20);
              }
            } catch (IOException | InterruptedException e) {
              // The probe has hung up.
            }
          });
      ProbeAction.Http http =
          new ProbeAction.Http("HTTP", "127.0.0.1", socket.getLocalPort(), "/", List.of());
      ProbeResult result = http.perform(Duration.ofMillis(300), (c, t) -> ProbeResult.ok(""));
      assertThat(result.success()).isFalse();
      assertThat(result.message()).contains("deadline exceeded");
    } finally {
      over.set(true);
    }
  }

  @Test
  void countsInARow() {
    ProbeCounter counter = new ProbeCounter(2, 3);
    assertThat(List.of(counter.add(false), counter.add(false), counter.add(true)))
        .allMatch(verdict -> verdict.isEmpty());
    assertThat(counter.add(true)).contains(true);
    assertThat(counter.add(false)).isEmpty();
    assertThat(counter.add(false)).isEmpty();
    assertThat(counter.add(false)).contains(false);
  }

  @Test
  void tellsTheVerdictOnceAndEveryFailure() {
    List<String> told = new CopyOnWriteArrayList<>();
    AtomicBoolean healthy = new AtomicBoolean(true);
    ProbePlan plan =
        new ProbePlan(
            ProbeKind.LIVENESS,
            new ProbeAction.Exec(List.of("check")),
            Duration.ZERO,
            Duration.ofMillis(5),
            SECOND,
            1,
            3);
    Prober.Listener listener =
        new Prober.Listener() {
          @Override
          public void failed(ProbeKind kind, ProbeResult result) {
            told.add("failed");
          }

          @Override
          public void verdict(ProbeKind kind, boolean success, ProbeResult result) {
            told.add("verdict " + success);
          }
        };
    try (Prober prober =
        Prober.start(
            "test",
            plan,
            (c, t) -> new ProbeResult(healthy.get(), c.getFirst()),
            Duration.ZERO,
            listener)) {
      await().until(() -> told.equals(List.of("verdict true")));
      healthy.set(false);
      await().until(() -> told.contains("verdict false"));
      assertThat(told.subList(0, 5))
          .containsExactly("verdict true", "failed", "failed", "failed", "verdict false");
    }
  }

  @Test
  void grpcAsksTheHealthOfAService() throws Exception {
    HealthStatusManager health = new HealthStatusManager();
    Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(health.getHealthService())
            .build()
            .start();
    int port = server.getPort();
    try {
      health.setStatus("", ServingStatus.SERVING);
      health.setStatus("sick", ServingStatus.NOT_SERVING);
      assertThat(grpc(port, "").success()).isTrue();
      assertThat(grpc(port, "sick").message()).contains("NOT_SERVING");
      assertThat(grpc(port, "nobody").success()).isFalse();
    } finally {
      server.shutdownNow();
    }
    assertThat(grpc(port, "").message()).contains("failed to connect");
  }

  private static ProbeResult grpc(int port, String service) {
    return GrpcProbe.perform(
        new ProbeAction.Grpc("127.0.0.1", port, service), Duration.ofSeconds(10));
  }
}
