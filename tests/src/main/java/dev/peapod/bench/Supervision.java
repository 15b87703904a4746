package dev.peapod.bench;

import com.google.protobuf.ByteString;
import dev.peapod.proto.peapod.v1.ApplyRequest;
import dev.peapod.proto.peapod.v1.DeletePodsRequest;
import dev.peapod.proto.peapod.v1.Manifest;
import dev.peapod.proto.peapod.v1.PodChange;
import dev.peapod.proto.peapod.v1.PodSelector;
import dev.peapod.proto.peapod.v1.PodSummary;
import dev.peapod.proto.peapod.v1.PodsGrpc;
import dev.peapod.proto.peapod.v1.PodsGrpc.PodsBlockingStub;
import dev.peapod.proto.peapod.v1.WatchPodsRequest;
import io.grpc.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// What the daemon costs that supervises many pods with probes, how punctual the probes are, and how much longer many
/// containers take to be ready than one.
public final class Supervision {
  private static final String IMAGE = "localhost/peapod/busybox:1";
  private static final int PERIOD_SECONDS = 10;
  private static final int MANY = 10;
  private static final int BATCH = 25;

  /// Of `/proc/PID/stat`'s times.
  private static final double TICKS_PER_SECOND = 100;

  private final InstalledDaemon daemon;
  private final PodsBlockingStub pods;

  private Supervision(InstalledDaemon daemon, PodsBlockingStub pods) {
    this.daemon = daemon;
    this.pods = pods;
  }

  /// Arguments: the installation, an empty directory to work in, the archive of busybox's image, how many pods, for how many
  /// seconds they are looked at, how many rounds of one and of many containers.
  public static void main(String[] arguments) throws Exception {
    try (InstalledDaemon daemon =
        new InstalledDaemon(Path.of(arguments[0]), Path.of(arguments[1]))) {
      daemon.awaitAnswer();
      daemon.client("image", "load", "-i", arguments[2]);
      try (UnixChannel channel = new UnixChannel(daemon.socket())) {
        Supervision bench =
            new Supervision(daemon, PodsGrpc.newBlockingStub(channel.channel()));
        try {
          bench.manyContainers(Integer.parseInt(arguments[5]));
          bench.manyPods(Integer.parseInt(arguments[3]), Integer.parseInt(arguments[4]));
        } finally {
          bench.delete();
        }
      }
    }
  }

  // --- many containers

  private void manyContainers(int rounds) {
    List<Long> one = new ArrayList<>();
    List<Long> many = new ArrayList<>();
    // What the compiler has to see first is not counted.
    for (int round = -rounds / 2; round < rounds; round++) {
      long single = timeUntilReady(1);
      long several = timeUntilReady(MANY);
      if (round >= 0) {
        one.add(single);
        many.add(several);
      }
    }
    System.out.printf(
        "| from apply until ready, %d rounds, ms | p50 | p99 |%n| --- | ---: | ---: |%n", rounds);
    System.out.printf("| 1 container | %.0f | %.0f |%n", quantile(one, 0.5), quantile(one, 0.99));
    System.out.printf(
        "| %d containers | %.0f | %.0f |%n", MANY, quantile(many, 0.5), quantile(many, 0.99));
    System.out.printf("| times | %.2f | |%n%n", quantile(many, 0.5) / quantile(one, 0.5));
  }

  private long timeUntilReady(int containers) {
    StringBuilder text = new StringBuilder(pod("bench"));
    for (int i = 0; i < containers; i++) {
      text.append(container("c" + i));
    }
    long begin = System.nanoTime();
    apply(text.toString());
    awaitReady(Set.of("bench"));
    long time = System.nanoTime() - begin;
    delete();
    return time;
  }

  // --- many pods

  private void manyPods(int count, int seconds) throws IOException, InterruptedException {
    try (ProbeTarget target = new ProbeTarget()) {
      for (int first = 0; first < count; first += BATCH) {
        StringBuilder text = new StringBuilder();
        Set<String> names = new HashSet<>();
        for (int i = first; i < Math.min(count, first + BATCH); i++) {
          names.add("p" + i);
          text.append("---\n").append(pod("p" + i)).append(container("c"));
          text.append(
              """
                  readinessProbe:
                    periodSeconds: %d
                    httpGet: {host: 127.0.0.1, port: %d, path: /%d}
              """
                  .formatted(PERIOD_SECONDS, target.port(), i));
        }
        apply(text.toString());
        awaitReady(names);
      }
      Thread.sleep(TimeUnit.SECONDS.toMillis(2 * PERIOD_SECONDS));
      target.forget();
      double before = processorSeconds();
      long begin = System.nanoTime();
      Thread.sleep(TimeUnit.SECONDS.toMillis(seconds));
      double used = processorSeconds() - before;
      double elapsed = (System.nanoTime() - begin) / 1e9;
      List<Long> late = target.late(TimeUnit.SECONDS.toNanos(PERIOD_SECONDS));
      System.out.printf(
          "| %d pods, a probe every %d s each, for %d s | |%n| --- | ---: |%n",
          count, PERIOD_SECONDS, seconds);
      System.out.printf("| peapodd's share of one processor | %.1f%% |%n", 100 * used / elapsed);
      System.out.printf(
          "| %d probes from due, p50 / p99 / most, ms | %.1f / %.1f / %.1f |%n",
          late.size(), quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1));
      System.out.printf("| peapodd resident, MiB | %.0f |%n", daemon.resident() / 1024.0);
    }
  }

  private double processorSeconds() throws IOException {
    String stat = Files.readString(Path.of("/proc/" + daemon.pid() + "/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }

  // --- pods

  private static String pod(String name) {
    return """
        apiVersion: v1
        kind: Pod
        metadata:
          name: %s
        spec:
          terminationGracePeriodSeconds: 0
          containers:
        """
        .formatted(name);
  }

  private static String container(String name) {
    return """
          - name: %s
            image: %s
            command: [sleep, "1000000"]
        """
        .formatted(name, IMAGE);
  }

  private void apply(String text) {
    pods.apply(
        ApplyRequest.newBuilder()
            .addManifests(
                Manifest.newBuilder().setSource("-").setContent(ByteString.copyFromUtf8(text)))
            .build());
  }

  private void awaitReady(Set<String> names) {
    Set<String> pending = new HashSet<>(names);
    Context.CancellableContext call = Context.current().withCancellation();
    call.run(
        () -> {
          Iterator<PodChange> changes = pods.watch(WatchPodsRequest.getDefaultInstance());
          while (!pending.isEmpty()) {
            PodSummary pod = changes.next().getPod().getSummary();
            if (pod.getTotalContainers() > 0
                && pod.getReadyContainers() == pod.getTotalContainers()) {
              pending.remove(pod.getName());
            }
          }
        });
    call.cancel(null);
  }

  private void delete() {
    pods.delete(
        DeletePodsRequest.newBuilder()
            .setSelector(PodSelector.newBuilder().setNamespace("default"))
            .setWait(true)
            .build());
  }

  /// In milliseconds; the nearest rank.
  private static double quantile(List<Long> times, double share) {
    if (times.isEmpty()) {
      return Double.NaN;
    }
    List<Long> sorted = new ArrayList<>(times);
    Collections.sort(sorted);
    return sorted.get(Math.max(0, (int) Math.ceil(share * sorted.size()) - 1)) / 1e6;
  }
}
