package dev.peapod.pods.workload;

import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a rolling update goes on from where it is, as Kubernetes has it: never more pods than
/// `replicas + maxSurge`, never fewer available ones than `replicas - maxUnavailable`.
record Rollout(int replicas, int maxSurge, int maxUnavailable) {
  /// The pods of one template.
  ///
  /// @param wanted how many there are to be
  /// @param available how many there are that count
  record Side(int wanted, int available) {}

  /// @param surge a number or a share of the replicas, rounded up; none is 0
  /// @param unavailable likewise, rounded down
  static Rollout of(int replicas, @Nullable IntOrString surge, @Nullable IntOrString unavailable) {
    int more = share(surge, replicas, true);
    int fewer = share(unavailable, replicas, false);
    // Both rounded to nothing would be a standstill.
    int least = more == 0 && fewer == 0 ? 1 : fewer;
    return new Rollout(replicas, more, Math.min(least, replicas));
  }

  static int share(@Nullable IntOrString value, int of, boolean up) {
    if (value == null) {
      return 0;
    }
    String text = value.getStrVal();
    if (text == null) {
      return value.getIntVal();
    }
    long hundredths = Long.parseLong(text.substring(0, text.length() - 1)) * of;
    return Math.toIntExact((hundredths + (up ? 99 : 0)) / 100);
  }

  int leastAvailable() {
    return replicas - maxUnavailable;
  }

  /// How many pods of the new template there are to be now.
  int fresh(Side fresh, List<Side> old) {
    if (fresh.wanted >= replicas) {
      return replicas;
    }
    int room = replicas + maxSurge - total(fresh, old);
    return fresh.wanted + Math.max(0, Math.min(room, replicas - fresh.wanted));
  }

  /// How many pods of each old template there are to be now, the oldest first. Those that are not
  /// available go before others.
  List<Integer> old(Side fresh, List<Side> old) {
    List<Integer> wanted = new ArrayList<>(old.stream().map(Side::wanted).toList());
    int spare = total(fresh, old) - leastAvailable() - Math.max(0, fresh.wanted - fresh.available);
    for (int i = 0; i < old.size() && spare > 0; i++) {
      int unhealthy = Math.max(0, old.get(i).wanted - old.get(i).available);
      int fewer = Math.min(spare, unhealthy);
      wanted.set(i, wanted.get(i) - fewer);
      spare -= fewer;
    }
    int available = fresh.available + old.stream().mapToInt(Side::available).sum();
    int left = Math.min(Math.max(0, spare), available - leastAvailable());
    for (int i = 0; i < old.size() && left > 0; i++) {
      int fewer = Math.min(left, wanted.get(i));
      wanted.set(i, wanted.get(i) - fewer);
      left -= fewer;
    }
    return wanted;
  }

  private static int total(Side fresh, List<Side> old) {
    return fresh.wanted + old.stream().mapToInt(Side::wanted).sum();
  }
}
