package dev.peapod.system;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Debian's docker-registry on loopback, over HTTP, empty at first.
final class Registry implements AutoCloseable {
  private final int port;
  private final Process process;

  /// @param directory where it keeps what is pushed
  Registry(Path directory) throws IOException {
    port = freePort();
    Path configuration = Files.createDirectories(directory).resolve("registry.yml");
    Files.writeString(
        configuration,
        """
        version: 0.1
        log: {level: error}
        storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
        http: {addr: "127.0.0.1:%d"}
        """
            .formatted(directory.resolve("blobs"), port));
    ProcessBuilder builder =
        new ProcessBuilder(
                Fixtures.dockerRegistry().toString(), "serve", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("registry.log").toFile());
    // It takes every REGISTRY_ variable for configuration.
    builder.environment().keySet().removeIf(name -> name.startsWith("REGISTRY_"));
    process = builder.start();
    await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> status("/v2/") == 200);
  }

  /// A port that was free a moment ago.
  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// `127.0.0.1:port/` and the rest.
  String reference(String rest) {
    return "127.0.0.1:" + port + "/" + rest;
  }

  /// Fills the registry from an archive and answers the manifest's digest.
  String push(Path archive, String rest) {
    String target = "docker://" + reference(rest);
    Shell.run(
            "skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
            "docker-archive:" + archive, target)
        .ok();
    return Shell.run("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", target)
        .ok()
        .strip();
  }

  private int status(String path) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + port + path);
      return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding()).statusCode();
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }
}
