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

/// Starts pods of one container that is confined as pods usually are, and of one that nothing confines, in turns, and prints
/// a Markdown table of what the difference costs.
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
    ALL("all of it");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    LinuxContainerConfig config() {
      LinuxContainerSecurityContext.Builder security = LinuxContainerSecurityContext.newBuilder();
      LinuxContainerConfig.Builder config = LinuxContainerConfig.newBuilder();
      switch (this) {
        case NOTHING ->
            // A list that is empty would mean the defaults.
            security
                .setSeccomp(SecurityProfile.newBuilder().setProfileType(ProfileType.Unconfined))
                .setApparmor(SecurityProfile.newBuilder().setProfileType(ProfileType.Unconfined))
                .setCapabilities(Capability.newBuilder().addAddCapabilities("ALL"))
                .addMaskedPaths("/nothing")
                .addReadonlyPaths("/nothing");
        case ALL -> {
          security
              .setSeccomp(SecurityProfile.newBuilder().setProfileType(ProfileType.RuntimeDefault))
              .setCapabilities(Capability.newBuilder().addDropCapabilities("ALL"))
              .setNoNewPrivs(true)
              .setRunAsUser(Int64Value.newBuilder().setValue(1000))
              .setRunAsGroup(Int64Value.newBuilder().setValue(1000));
          config.setResources(
              LinuxContainerResources.newBuilder()
                  .setCpuShares(512)
                  .setCpuPeriod(100_000)
                  .setCpuQuota(100_000)
                  .setMemoryLimitInBytes(64 * MIB)
                  .setOomScoreAdj(500));
        }
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
    for (int round = -rounds / 4; round < rounds; round++) {
      // Neither always comes after the other.
      Collections.reverse(kinds);
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
    List<Map.Entry<Kind, Series>> all = List.copyOf(times.entrySet());
    System.out.printf("Pods of one container, %d of each kind in turns, in ms:%n%n| p50 / p99 |", rounds);
    all.forEach(kind -> System.out.printf(" %s |", kind.getKey().title));
    System.out.println(" more at p50 |\n| --- | ---: | ---: | ---: |");
    for (Call call : SHOWN) {
      System.out.printf("| %s |", call.title());
      for (Map.Entry<Kind, Series> kind : all) {
        System.out.printf(
            " %.2f / %.2f |", kind.getValue().quantile(call, 0.5), kind.getValue().quantile(call, 0.99));
      }
      System.out.printf(
          " %.2f |%n",
          all.getLast().getValue().quantile(call, 0.5) - all.getFirst().getValue().quantile(call, 0.5));
    }
  }
}
