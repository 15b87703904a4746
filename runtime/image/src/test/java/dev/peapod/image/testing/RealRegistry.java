package dev.peapod.image.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/// Debian's docker-registry on a free loopback port, filled by skopeo.
public final class RealRegistry implements AutoCloseable {
  private final Process process;
  private final int port;
  private final List<String> access;

  private RealRegistry(Process process, int port, List<String> access) {
    this.process = process;
    this.port = port;
    this.access = access;
  }

  /// A registry without TLS and without users.
  public static RealRegistry start(Path directory) throws IOException {
    return start(directory, "", List.of("--dest-tls-verify=false"));
  }

  /// A registry with a certificate, and with a user whose password is a bcrypt hash in `htpasswd`.
  public static RealRegistry startSecured(
      Path directory, Path certificate, Path key, String htpasswd, String userAndPassword)
      throws IOException {
    Path users = Files.writeString(directory.resolve("htpasswd"), htpasswd + "\n");
    String more =
        "  tls:\n    certificate: "
            + certificate
            + "\n    key: "
            + key
            + "\nauth:\n  htpasswd:\n    realm: test\n    path: "
            + users
            + "\n";
    return start(
        directory, more, List.of("--dest-tls-verify=false", "--dest-creds=" + userAndPassword));
  }

  private static RealRegistry start(Path directory, String more, List<String> access)
      throws IOException {
    Commands.require("docker-registry", "skopeo");
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path config = directory.resolve("registry.yml");
    Files.writeString(
        config,
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
            + directory.resolve("storage")
            + "\nhttp:\n  addr: 127.0.0.1:"
            + port
            + "\n"
            + more);
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("registry.log").toFile())
            .start();
    RealRegistry registry = new RealRegistry(process, port, access);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new IOException(Files.readString(directory.resolve("registry.log")));
              }
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
              } catch (IOException e) {
                return false;
              }
            });
    return registry;
  }

  /// `127.0.0.1:port`.
  public String host() {
    return "127.0.0.1:" + port;
  }

  /// Copies an image of an OCI layout, whose `index.json` names it by its bare `tag`.
  public void push(Path layout, String tag, String name, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("skopeo", "copy", "--quiet"));
    command.addAll(access);
    command.addAll(List.of(options));
    command.add("oci:" + layout + ":" + tag);
    command.add("docker://" + host() + "/" + name);
    Commands.run(command.toArray(String[]::new));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
