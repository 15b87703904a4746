package dev.peapod.bench;

import dev.peapod.proto.runtime.v1.Capability;
import dev.peapod.proto.runtime.v1.Int64Value;
import dev.peapod.proto.runtime.v1.LinuxContainerConfig;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import dev.peapod.proto.runtime.v1.LinuxContainerSecurityContext;
import dev.peapod.proto.runtime.v1.SecurityProfile;
import dev.peapod.proto.runtime.v1.SecurityProfile.ProfileType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Starts pods of one container that nothing confines, of one that is confined as pods usually are, and of some in between,
/// in turns, and prints a Markdown table of what each difference costs.
public final class Isolation {
  private static final String USAGE =
      """
      usage: isolation --runtime NAME=SOCKET --image REFERENCE [option...]
        --rounds N     pods of each kind (200), after a quarter of them that are not counted
        --network pod|host
      """;

  private static final long MIB = 1 << 20;
  private static final List<Call> SHOWN =
      List.of(Call.RUN_POD_SANDBOX, Call.CREATE_CONTAINER, Call.START_CONTAINER, Call.START, Call.WHOLE);

  /// What a container asks for.
  private enum Kind {
    NOTHING("nothing"),
    AGAIN("nothing, once more"),
    SECCOMP("the default seccomp filter"),
    PATHS("the default masked and read-only paths"),
    IDENTITY("a user, no capabilities, `no_new_privs`"),
    LIMITS("limits of processor and memory"),
    ALL("all of it");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    private boolean has(Kind part) {
      return this == part || this == ALL;
    }

    LinuxContainerConfig config() {
      LinuxContainerSecurityContext.Builder security =
          LinuxContainerSecurityContext.newBuilder()
              .setSeccomp(
                  SecurityProfile.newBuilder()
                      .setProfileType(
                          has(SECCOMP) ? ProfileType.RuntimeDefault : ProfileType.Unconfined))
              .setApparmor(SecurityProfile.newBuilder().setProfileType(ProfileType.Unconfined));
      LinuxContainerConfig.Builder config = LinuxContainerConfig.newBuilder();
      if (!has(PATHS)) {
        // A list that is empty would mean the defaults.
        security.addMaskedPaths("/nothing").addReadonlyPaths("/nothing");
      }
      if (has(IDENTITY)) {
        security
            .setCapabilities(Capability.newBuilder().addDropCapabilities("ALL"))
            .setNoNewPrivs(true)
            .setRunAsUser(Int64Value.newBuilder().setValue(1000))
            .setRunAsGroup(Int64Value.newBuilder().setValue(1000));
      } else {
        security.setCapabilities(Capability.newBuilder().addAddCapabilities("ALL"));
      }
      if (has(LIMITS)) {
        config.setResources(
            LinuxContainerResources.newBuilder()
                .setCpuShares(512)
                .setCpuPeriod(100_000)
                .setCpuQuota(100_000)
                .setMemoryLimitInBytes(64 * MIB)
                .setOomScoreAdj(500));
      }
      return config.setSecurityContext(security).build();
    }
  }

  private Isolation() {}

  /// Exit status 2: wrong arguments. A call that fails ends the benchmark.
  public static void main(String[] arguments) throws Exception {
    Map<String, String> values = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      values.put(arguments[i], arguments[i + 1]);
    }
    String[] socket = values.getOrDefault("--runtime", "").split("=", 2);
    String image = values.get("--image");
    if (socket.length != 2 || image == null || arguments.length % 2 != 0) {
      System.err.print(USAGE);
      System.exit(2);
      return;
    }
    int rounds = Integer.parseInt(values.getOrDefault("--rounds", "200"));
    boolean host = "host".equals(values.get("--network"));
    Path logs = Files.createTempDirectory("isolation");
    try (Runtime runtime = new Runtime(socket[0], Path.of(socket[1]), image, host, logs)) {
      runtime.needImage();
      print(run(runtime, rounds), rounds);
    } finally {
      Lists.deleteTree(logs);
    }
  }

  private static Map<Kind, Series> run(Runtime runtime, int rounds) {
    Map<Kind, Series> times = new EnumMap<>(Kind.class);
    List<Kind> kinds = new ArrayList<>(List.of(Kind.values()));
    kinds.forEach(kind -> times.put(kind, new Series()));
    Random order = new Random(1);
    for (int round = -rounds / 4; round < rounds; round++) {
      // None always comes after the same other.
      Collections.shuffle(kinds, order);
      for (Kind kind : kinds) {
        Map<Call, Long> took = runtime.round(kind.config());
        if (round >= 0) {
          times.getOrDefault(kind, new Series()).add(took);
        }
      }
    }
    return times;
  }

  private static void print(Map<Kind, Series> times, int rounds) {
    System.out.printf("Pods of one container, %d of each kind in turns, in ms:%n%n| p50 / p99 |", rounds);
    SHOWN.forEach(call -> System.out.printf(" %s |", call.title()));
    System.out.printf(" start, more at p50 |%n| --- |%s ---: |%n", " ---: |".repeat(SHOWN.size()));
    double least = times.getOrDefault(Kind.NOTHING, new Series()).quantile(Call.START, 0.5);
    times.forEach(
        (kind, series) -> {
          System.out.printf("| %s |", kind.title);
          SHOWN.forEach(
              call ->
                  System.out.printf(
                      " %.2f / %.2f |", series.quantile(call, 0.5), series.quantile(call, 0.99)));
          System.out.printf(" %.2f |%n", series.quantile(Call.START, 0.5) - least);
        });
  }
}
