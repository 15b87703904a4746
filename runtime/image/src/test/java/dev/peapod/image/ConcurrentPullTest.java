package dev.peapod.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.peapod.error.PeapodException;
import dev.peapod.error.PeapodException.Kind;
import dev.peapod.image.LayerProgress.State;
import dev.peapod.image.registry.RegistryConfig;
import dev.peapod.image.testing.Commands;
import dev.peapod.image.testing.LayoutBuilder;
import dev.peapod.image.testing.LayoutBuilder.Layer;
import dev.peapod.image.testing.LayoutBuilder.Made;
import dev.peapod.image.testing.TarBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pulls that meet each other, from a registry that answers when the test lets it.
class ConcurrentPullTest {
  @TempDir Path root;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Integer> requests = new ConcurrentHashMap<>();
  private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
  private final Map<String, State> states = new ConcurrentHashMap<>();
  private final LayoutBuilder builder = new LayoutBuilder();
  private final Layer base = Layer.gzip(new TarBuilder().file("base", 0644, "base"));
  private final Layer top = Layer.gzip(new TarBuilder().file("top", 0644, "top"));
  private HttpServer server;
  private ImageStore store;
  private Made small;
  private Made large;

  @BeforeEach
  void start() throws IOException {
    Commands.requireRoot();
    small = builder.image("", base);
    large = builder.image("", base, top);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          String path = exchange.getRequestURI().getPath();
          String hex = path.substring(path.indexOf("sha256:") + 7);
          requests.merge(hex, 1, Integer::sum);
          byte[] content = builder.content(Digest.parse("sha256:" + hex));
          try (exchange) {
            CountDownLatch gate = gates.get(hex);
            if (gate != null) {
              gate.await();
            }
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
    store = ImageStore.open(root, RegistryConfig.none());
    store.adopt(List.of());
  }

  @AfterEach
  void stop() {
    gates.values().forEach(CountDownLatch::countDown);
    if (store != null) {
      store.close();
      server.stop(0);
    }
    threads.shutdownNow();
    threads.close();
  }

  private Callable<Image> pull(Made image) {
    String name = "127.0.0.1:" + server.getAddress().getPort() + "/app@" + image.manifest();
    return () ->
        store.pull(
            "pods",
            Reference.parse(name),
            Optional.empty(),
            progress -> states.put(progress.digest(), progress.state()));
  }

  private CountDownLatch gate(Digest digest) {
    CountDownLatch gate = new CountDownLatch(1);
    gates.put(digest.hex(), gate);
    return gate;
  }

  private void await(Callable<Boolean> condition) {
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(condition);
  }

  private long layersOnDisk() throws IOException {
    try (Stream<Path> layers = Files.list(root.resolve("images/l"))) {
      return layers.count() - 1;
    }
  }

  @Test
  void fetchesALayerOnce() throws Exception {
    CountDownLatch gate = gate(large.layers().getFirst());
    List<Future<Image>> pulls =
        List.of(
            threads.submit(pull(small)), threads.submit(pull(large)), threads.submit(pull(large)));
    await(
        () ->
            requests.getOrDefault(large.config().hex(), 0) == 2
                && requests.getOrDefault(small.config().hex(), 0) == 1
                && requests.containsKey(large.layers().getFirst().hex()));
    gate.countDown();
    for (Future<Image> pull : pulls) {
      assertThat(pull.get().layers().getFirst().resolve("base")).hasContent("base");
    }
    assertThat(requests).containsEntry(large.layers().getFirst().hex(), 1);
    assertThat(layersOnDisk()).isEqualTo(2);
  }

  @Test
  void keepsALayerThatAPullStillNeeds() throws Exception {
    CountDownLatch gate = gate(large.layers().getLast());
    Future<Image> slow = threads.submit(pull(large));
    await(() -> states.get(large.layers().getFirst().toString()) == State.DONE);
    Image quick = pull(small).call();
    store.remove("pods", quick.id());
    gate.countDown();
    Image image = slow.get();
    assertThat(image.layers().getFirst().resolve("base")).hasContent("base");
    assertThat(image.layers().getLast().resolve("top")).hasContent("top");
    store.remove("pods", image.id());
    await(() -> layersOnDisk() == 0);
  }

  @Test
  void leavesNothingOfAPullThatWasGivenUp() throws Exception {
    gate(large.layers().getLast());
    Thread[] pulling = new Thread[1];
    Future<Image> pull =
        threads.submit(
            () -> {
              pulling[0] = Thread.currentThread();
              return pull(large).call();
            });
    await(
        () ->
            states.get(large.layers().getFirst().toString()) == State.DONE
                && requests.containsKey(large.layers().getLast().hex()));
    pulling[0].interrupt();
    assertThatThrownBy(pull::get)
        .cause()
        .isInstanceOf(PeapodException.class)
        .satisfies(e -> assertThat(((PeapodException) e).kind()).isEqualTo(Kind.DEADLINE_EXCEEDED));
    gates.values().forEach(CountDownLatch::countDown);
    await(() -> layersOnDisk() == 0);
    gates.clear();
    assertThat(pull(large).call().layers()).hasSize(2);
  }

  @Test
  void leavesNothingOfAPullThatFails() throws Exception {
    Layer wrong = new Layer(new TarBuilder().bytes(), top.blob(), LayoutBuilder.GZIP);
    Made bad = builder.image("", base, wrong);
    assertThatThrownBy(() -> pull(bad).call())
        .isInstanceOf(PeapodException.class)
        .hasMessageContaining("image's configuration says");
    await(() -> layersOnDisk() == 0);
    assertThat(store.list("pods")).isEmpty();
  }
}
