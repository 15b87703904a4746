package dev.peapod.bench;

import dev.peapod.proto.runtime.v1.RuntimeServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// Asks a CRI runtime that has many containers for lists and figures of them all, and prints a Markdown table.
public final class Lists {
  private static final String USAGE =
      """
      usage: lists --runtime NAME=SOCKET --image REFERENCE [option...]
        --pods N       pods of one container that run meanwhile (1000)
        --workers P    how many are started at a time (8)
        --rounds N     how often each list is asked for (200)
        --network pod|host
      """;

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
          return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  /// What so many starts leave to be done, to compile and to write out.
  private static final Duration SETTLING = Duration.ofSeconds(10);

  private final PrintStream out = System.out;
  private final Channel channel;

  private Lists(Channel channel) {
    this.channel = channel;
  }

  /// Exit status 2: wrong arguments. A call that fails ends the benchmark.
  public static void main(String[] arguments) throws Exception {
    Map<String, String> values = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      values.put(arguments[i], arguments[i + 1]);
    }
    String[] runtime = values.getOrDefault("--runtime", "").split("=", 2);
    String image = values.get("--image");
    if (runtime.length != 2 || image == null || arguments.length % 2 != 0) {
      System.err.print(USAGE);
      System.exit(2);
      return;
    }
    int pods = Integer.parseInt(values.getOrDefault("--pods", "1000"));
    int workers = Integer.parseInt(values.getOrDefault("--workers", "8"));
    int rounds = Integer.parseInt(values.getOrDefault("--rounds", "200"));
    boolean host = "host".equals(values.get("--network"));
    Path logs = Files.createTempDirectory("lists");
    Path socket = Path.of(runtime[1]);
    try (Runtime under = new Runtime(runtime[0], socket, image, host, logs);
        UnixChannel channel = new UnixChannel(socket);
        ExecutorService starters = Executors.newFixedThreadPool(workers)) {
      under.needImage();
      List<Runtime.StartedPod> started = new ArrayList<>();
      try {
        List<Future<Runtime.StartedPod>> starting = new ArrayList<>();
        for (int i = 0; i < pods; i++) {
          starting.add(starters.submit(() -> under.start(new EnumMap<>(Call.class))));
        }
        for (Future<Runtime.StartedPod> one : starting) {
          started.add(one.get());
        }
        Thread.sleep(SETTLING);
        new Lists(channel.channel()).run(pods, rounds);
      } finally {
        List<Future<?>> removing = new ArrayList<>();
        for (Runtime.StartedPod pod : started) {
          removing.add(starters.submit(() -> under.remove(pod, new EnumMap<>(Call.class))));
        }
        for (Future<?> one : removing) {
          one.get();
        }
        deleteTree(logs);
      }
    }
  }

  static void deleteTree(Path logs) throws Exception {
    try (var files = Files.walk(logs)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private void run(int pods, int rounds) {
    List<MethodDescriptor<byte[], byte[]>> calls =
        Stream.of(
                RuntimeServiceGrpc.getVersionMethod(), // what any call takes
                RuntimeServiceGrpc.getListPodSandboxMethod(),
                RuntimeServiceGrpc.getListContainersMethod(),
                RuntimeServiceGrpc.getListContainerStatsMethod(),
                RuntimeServiceGrpc.getListPodSandboxStatsMethod(),
                RuntimeServiceGrpc.getListPodSandboxMetricsMethod())
            .map(method -> method.toBuilder(BYTES, BYTES).build())
            .toList();
    out.printf("With %d pods of one container, %d calls each, in ms:%n%n", pods, rounds);
    out.println("| call | p50 | p99 | most | answer, KiB |");
    out.println("| --- | ---: | ---: | ---: | ---: |");
    for (MethodDescriptor<byte[], byte[]> call : calls) {
      int size = 0;
      // What the compiler has to see first is not counted.
      for (int i = 0; i < rounds; i++) {
        size = ask(call);
      }
      long[] times = new long[rounds];
      for (int i = 0; i < rounds; i++) {
        long begin = System.nanoTime();
        ask(call);
        times[i] = System.nanoTime() - begin;
      }
      Arrays.sort(times);
      out.printf(
          "| %s | %.1f | %.1f | %.1f | %d |%n",
          call.getBareMethodName(),
          times[rounds / 2] / 1e6,
          times[rounds * 99 / 100] / 1e6,
          times[rounds - 1] / 1e6,
          size / 1024);
    }
  }

  /// An empty message is no bytes. The answer is not read: what is timed is the runtime.
  private int ask(MethodDescriptor<byte[], byte[]> call) {
    return ClientCalls.blockingUnaryCall(channel, call, CallOptions.DEFAULT, new byte[0]).length;
  }
}
