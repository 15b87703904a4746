package dev.peapod.bench;

import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import dev.peapod.proto.runtime.v1.VersionRequest;
import io.grpc.StatusRuntimeException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How long the installed daemon takes from its start until it answers a call, how long one call of the client takes, and
/// what the idle daemon keeps in memory.
public final class DaemonStart {
  private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+([0-9]+) kB");
  private static final long LIMIT = TimeUnit.SECONDS.toNanos(60);

  private final Path installation;
  private final Path directory;
  private final List<Long> ready = new ArrayList<>();
  private final List<Long> client = new ArrayList<>();
  private final List<Long> resident = new ArrayList<>();

  private DaemonStart(Path installation, Path directory) {
    this.installation = installation;
    this.directory = directory;
  }

  /// Arguments: the installation, an empty directory to work in, how often.
  public static void main(String[] arguments) throws Exception {
    DaemonStart bench = new DaemonStart(Path.of(arguments[0]), Path.of(arguments[1]));
    int times = Integer.parseInt(arguments[2]);
    // The first start warms the page cache and this program.
    for (int i = 0; i <= times; i++) {
      bench.once();
      if (i == 0) {
        bench.ready.clear();
        bench.client.clear();
        bench.resident.clear();
      }
    }
    System.out.printf("| %d starts | p50 | p99 |%n| --- | --- | --- |%n", times);
    print("peapodd: from its start until it answers, ms", bench.ready, 1e6);
    print("`peapod get pods`: the whole process, ms", bench.client, 1e6);
    print("peapodd idle, resident, MiB", bench.resident, 1024);
  }

  private static void print(String what, List<Long> values, double unit) {
    Collections.sort(values);
    int last = values.size() - 1;
    System.out.printf(
        "| %s | %.0f | %.0f |%n",
        what, values.get(last / 2) / unit, values.get((int) Math.ceil(last * 0.99)) / unit);
  }

  private void once() throws IOException, InterruptedException {
    Path socket = directory.resolve("s.sock");
    long begin = System.nanoTime();
    Process daemon =
        new ProcessBuilder(
                installation.resolve("bin/peapodd").toString(),
                "--root", directory.resolve("root").toString(),
                "--state", directory.resolve("state").toString(),
                "--log-root", directory.resolve("logs").toString(),
                "--socket", socket.toString(),
                "--bridge", "peabench2",
                "--pod-cidr", "10.235.2.0/24",
                "--cgroup-parent", "/peabench2",
                "--cni-conf-dir", directory.resolve("cni").toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile()))
            .start();
    try {
      awaitAnswer(daemon, socket, begin);
      ready.add(System.nanoTime() - begin);
      Matcher matcher =
          RESIDENT.matcher(Files.readString(Path.of("/proc/" + daemon.pid() + "/status")));
      if (matcher.find()) {
        resident.add(Long.valueOf(matcher.group(1)));
      }
      long call = System.nanoTime();
      Process peapod =
          new ProcessBuilder(
                  installation.resolve("bin/peapod").toString(),
                  "--socket", socket.toString(), "get", "pods")
              .redirectErrorStream(true)
              .redirectOutput(new File("/dev/null"))
              .start();
      if (peapod.waitFor() != 0) {
        throw new IOException("peapod get pods failed");
      }
      client.add(System.nanoTime() - call);
    } finally {
      daemon.destroy();
      daemon.waitFor();
    }
  }

  private static void awaitAnswer(Process daemon, Path socket, long begin)
      throws IOException, InterruptedException {
    while (System.nanoTime() - begin < LIMIT && daemon.isAlive()) {
      if (Files.exists(socket)) {
        try (UnixChannel channel = new UnixChannel(socket)) {
          RuntimeServiceGrpc.newBlockingStub(channel.channel())
              .withDeadlineAfter(10, TimeUnit.SECONDS)
              .version(VersionRequest.getDefaultInstance());
          return;
        } catch (StatusRuntimeException e) {
          // Not yet.
        }
      }
      Thread.sleep(1);
    }
    throw new IOException("peapodd does not answer");
  }
}
