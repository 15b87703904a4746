package dev.peapod.system;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Debian's containerd with runc, unpacked and not installed, with everything of its own: roots, socket, bridge, addresses.
final class Containerd implements AutoCloseable {
  private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");
  private static final String BRIDGE = "peatcd0";

  private final Path directory;
  private final String forwarding;
  private final Process process;

  /// Starts it with the images of the fixtures.
  Containerd() throws IOException {
    // A unix socket's path may have 107 bytes.
    directory = Files.createTempDirectory(Path.of("/tmp"), "peatcd-");
    forwarding = Files.readString(FORWARDING);
    Files.createDirectories(directory.resolve("cni"));
    Files.writeString(
        directory.resolve("cni/10-tests.conflist"),
        """
        {"cniVersion": "1.0.0", "name": "tests", "plugins": [
          {"type": "bridge", "bridge": "%s", "isGateway": true, "ipam": {
            "type": "host-local", "ranges": [[{"subnet": "10.235.7.0/24"}]], "dataDir": "%s/leases"}}]}
        """
            .formatted(BRIDGE, directory));
    Files.writeString(
        directory.resolve("containerd.toml"),
        """
        version = 2
        root = "%1$s/root"
        state = "%1$s/state"
        [grpc]
          address = "%1$s/containerd.sock"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "registry.k8s.io/pause:3.10"
          disable_apparmor = true
          # Where CAP_SYS_RESOURCE is missing, runc can not lower the score.
          restrict_oom_score_adj = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "%2$s/cni"
            conf_dir = "%1$s/cni"
          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
            runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.internal.v1.opt"]
          path = "%1$s/opt"
        """
            .formatted(directory, Fixtures.directory()));
    ProcessBuilder builder =
        new ProcessBuilder(
                program("containerd"), "--config", directory.resolve("containerd.toml").toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile());
    builder.environment().merge("PATH", programs().toString(), (path, own) -> own + ":" + path);
    process = builder.start();
    try {
      await().atMost(Patience.ofSeconds(60)).until(() -> ctr("version").exit() == 0);
      for (String image : List.of("pause.tar", "busybox.tar")) {
        ctr("images", "import", Fixtures.directory().resolve(image).toString()).ok();
      }
    } catch (RuntimeException | Error e) {
      String log = log();
      close();
      throw new IllegalStateException("containerd did not come up; its log:\n" + log, e);
    }
  }

  /// Whether the fixtures have it.
  static boolean isThere() {
    return Files.isExecutable(Path.of(program("containerd")))
        && Files.exists(Fixtures.directory().resolve("pause.tar"));
  }

  private static Path programs() {
    return Fixtures.directory().resolve("programs");
  }

  private static String program(String name) {
    return programs().resolve(name).toString();
  }

  Path socket() {
    return directory.resolve("containerd.sock");
  }

  /// Runs its own client on what the CRI has.
  Shell.Result ctr(String... arguments) {
    return Shell.run(
        Map.of(),
        "",
        Stream.concat(
                Stream.of(program("ctr"), "--address", socket().toString(), "--namespace", "k8s.io"),
                Stream.of(arguments))
            .toList());
  }

  String log() {
    try {
      return Files.readString(directory.resolve("log"));
    } catch (IOException e) {
      return "";
    }
  }

  /// Ends it, and takes back what it and its plugins leave in places that no option moves.
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(Duration.ofSeconds(20))) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Shell.run("ip", "link", "delete", BRIDGE);
    Shell.run(
        "sh",
        "-c",
        "rmdir /sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io /var/lib/cni/results /var/lib/cni"
            + " /run/containerd/fifo /run/containerd/s /run/containerd 2>/dev/null");
    try {
      Files.writeString(FORWARDING, forwarding);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Shell.run(
        "sh",
        "-c",
        "awk -v w=" + directory + "/ 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo"
            + " | sort -r | xargs -r umount -l; rm -rf --one-file-system " + directory);
  }
}
