package dev.peapod.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// How long the installed daemon takes from its start until it answers a call, how long one call of the client takes, and
/// what the idle daemon keeps in memory.
public final class DaemonStart {
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
    try (InstalledDaemon daemon = new InstalledDaemon(installation, directory)) {
      ready.add(daemon.awaitAnswer());
      resident.add(daemon.resident());
      long call = System.nanoTime();
      daemon.client("get", "pods");
      client.add(System.nanoTime() - call);
    }
  }
}
