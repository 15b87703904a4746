package dev.peapod.bench;

import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.VersionRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The installed `peapodd` with all that it makes in one directory, from its start until it is closed.
final class InstalledDaemon implements AutoCloseable {
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB");
  private static final long LIMIT = TimeUnit.SECONDS.toNanos(60);

  private final Path installation;
  private final Path socket;
  private final Process process;
  private final long begin = System.nanoTime();

  /// Starts it; nothing is waited for.
  InstalledDaemon(Path installation, Path directory) throws IOException {
    this.installation = installation;
    this.socket = directory.resolve("s.sock");
    this.process =
        new ProcessBuilder(
                installation.resolve("bin/peapodd").toString(),
                "--root", directory.resolve("root").toString(),
                "--state", directory.resolve("state").toString(),
                "--log-root", directory.resolve("logs").toString(),
                "--socket", socket.toString(),
                "--bridge", "peabench2",
                "--pod-cidr", "10.236.0.0/16",
                "--cgroup-parent", "/peabench2",
                "--manifest-dir", directory.resolve("manifests").toString(),
                "--cni-conf-dir", directory.resolve("cni").toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile()))
            .start();
  }

  Path socket() {
    return socket;
  }

  long pid() {
    return process.pid();
  }

  /// Waits until it answers a call.
  ///
  /// @return nanoseconds since its start
  long awaitAnswer() throws IOException, InterruptedException {
    while (System.nanoTime() - begin < LIMIT && process.isAlive()) {
      if (Files.exists(socket)) {
        try (UnixChannel channel = new UnixChannel(socket)) {
          RuntimeServiceGrpc.newBlockingStub(channel.channel())
              .withDeadlineAfter(10, TimeUnit.SECONDS)
              .version(VersionRequest.getDefaultInstance());
          return System.nanoTime() - begin;
        } catch (StatusRuntimeException e) {
          // Not yet.
        }
      }
      Thread.sleep(1);
    }
    throw new IOException("peapodd does not answer");
  }

  /// What it keeps in memory, KiB; 0 if it has ended.
  long resident() throws IOException {
    Matcher matcher = RESIDENT.matcher(Files.readString(Path.of("/proc/" + pid() + "/status")));
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  /// Runs the installed client, which must succeed.
  void client(String... arguments) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(installation.resolve("bin/peapod").toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.command().addAll(List.of("--socket", socket.toString()));
    builder.command().addAll(List.of(arguments));
    if (builder.start().waitFor() != 0) {
      throw new IOException("peapod " + String.join(" ", arguments) + " failed");
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }
}
