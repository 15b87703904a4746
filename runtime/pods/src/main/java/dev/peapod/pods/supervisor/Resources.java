package dev.peapod.pods.supervisor;

import dev.peapod.pods.manifest.Quantities;
import dev.peapod.pods.node.HostFacts;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Kubernetes' resources as the kernel's figures, by kubelet's rules.
public final class Resources {
  private static final long PERIOD = 100_000;
  private static final long LEAST_QUOTA = 1_000;
  static final long LEAST_SHARES = 2;
  private static final long MOST_SHARES = 262_144;

  private Resources() {}

  /// Guaranteed, Burstable or BestEffort.
  public static String qosClass(Pod pod) {
    boolean any = false;
    boolean guaranteed = true;
    for (Container container : all(pod)) {
      OptionalLong cpu = cpu(container, true);
      OptionalLong memory = memory(container, true);
      OptionalLong cpuRequest = cpu(container, false);
      OptionalLong memoryRequest = memory(container, false);
      any |= positive(cpu) || positive(memory) || positive(cpuRequest) || positive(memoryRequest);
      guaranteed &=
          positive(cpu)
              && positive(memory)
              && cpu.equals(cpuRequest)
              && memory.equals(memoryRequest);
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
  }

  static LinuxContainerResources of(Pod pod, Container container) {
    LinuxContainerResources.Builder result = LinuxContainerResources.newBuilder();
    result.setCpuPeriod(PERIOD);
    OptionalLong cpuLimit = cpu(container, true);
    if (positive(cpuLimit)) {
      result.setCpuQuota(quota(cpuLimit.getAsLong()));
    }
    result.setCpuShares(shares(cpu(container, false).orElse(0)));
    memory(container, true).ifPresent(result::setMemoryLimitInBytes);
    result.setOomScoreAdj(oomScore(pod, container));
    if (HostFacts.isCgroupV2()) {
      // As kubelet does: no swap, and a container that is out of memory ends whole.
      result.setMemorySwapLimitInBytes(result.getMemoryLimitInBytes());
      result.putUnified("memory.oom.group", "1");
    }
    return result.build();
  }

  /// What the pod's own cgroup is to be held to: the containers' sums, where all of them have a
  /// limit.
  static LinuxContainerResources ofPod(Pod pod) {
    LinuxContainerResources.Builder result = LinuxContainerResources.newBuilder();
    List<Container> containers = pod.getSpec().getContainers();
    List<Container> inits = pod.getSpec().getInitContainers();
    result.setCpuPeriod(PERIOD);
    result.setCpuShares(shares(effective(containers, inits, c -> cpu(c, false)).orElse(0)));
    effective(containers, inits, c -> cpu(c, true)).ifPresent(l -> result.setCpuQuota(quota(l)));
    effective(containers, inits, c -> memory(c, true)).ifPresent(result::setMemoryLimitInBytes);
    return result.build();
  }

  /// The names of the resources of which two containers differ.
  static Set<String> changes(Container before, Container after) {
    Set<String> changed = new TreeSet<>();
    for (boolean limit : new boolean[] {false, true}) {
      if (!cpu(before, limit).equals(cpu(after, limit))) {
        changed.add("cpu");
      }
      if (!memory(before, limit).equals(memory(after, limit))) {
        changed.add("memory");
      }
    }
    return changed;
  }

  /// Whether a container is allowed more of anything than before.
  static boolean isMore(Container before, Container after) {
    return more(cpu(before, true), cpu(after, true))
        || more(memory(before, true), memory(after, true));
  }

  private static boolean more(OptionalLong before, OptionalLong after) {
    return before.orElse(Long.MAX_VALUE) < after.orElse(Long.MAX_VALUE);
  }

  private interface Figure {
    OptionalLong of(Container container);
  }

  /// The sum over the containers, or the largest init container if that is more; nothing where one
  /// of them has no figure.
  private static OptionalLong effective(
      List<Container> containers, List<Container> inits, Figure figure) {
    long sum = 0;
    for (Container container : containers) {
      OptionalLong value = figure.of(container);
      if (!positive(value)) {
        return OptionalLong.empty();
      }
      sum += value.getAsLong();
    }
    for (Container container : inits) {
      OptionalLong value = figure.of(container);
      if (!positive(value)) {
        return OptionalLong.empty();
      }
      sum = Math.max(sum, value.getAsLong());
    }
    return OptionalLong.of(sum);
  }

  private static long oomScore(Pod pod, Container container) {
    return switch (qosClass(pod)) {
      case "Guaranteed" -> -997;
      case "BestEffort" -> 1000;
      default -> {
        long request = memory(container, false).orElse(0);
        long score = 1000 - (long) (1000.0 * request / HostFacts.memory());
        yield Math.clamp(score, 3, 999);
      }
    };
  }

  /// Thousandths of a processor that a pod has asked for.
  static long cpuRequest(Pod pod) {
    long containers =
        pod.getSpec().getContainers().stream().mapToLong(c -> cpu(c, false).orElse(0)).sum();
    long inits =
        pod.getSpec().getInitContainers().stream()
            .mapToLong(c -> cpu(c, false).orElse(0))
            .max()
            .orElse(0);
    return Math.max(containers, inits);
  }

  static long shares(long milli) {
    return milli == 0 ? LEAST_SHARES : Math.clamp(milli * 1024 / 1000, LEAST_SHARES, MOST_SHARES);
  }

  private static long quota(long milli) {
    return Math.max(LEAST_QUOTA, milli * PERIOD / 1000);
  }

  private static OptionalLong cpu(Container container, boolean limit) {
    String text = quantity(container, limit, "cpu");
    return text == null ? OptionalLong.empty() : OptionalLong.of(Quantities.milli(text));
  }

  private static OptionalLong memory(Container container, boolean limit) {
    String text = quantity(container, limit, "memory");
    return text == null ? OptionalLong.empty() : OptionalLong.of(Quantities.units(text));
  }

  private static @Nullable String quantity(Container container, boolean limit, String name) {
    ResourceRequirements resources = container.getResources();
    if (resources == null) {
      return null;
    }
    Map<String, Quantity> map = limit ? resources.getLimits() : resources.getRequests();
    Quantity quantity = map == null ? null : map.get(name);
    if (quantity == null) {
      return null;
    }
    String format = quantity.getFormat();
    return quantity.getAmount() + (format == null ? "" : format);
  }

  private static boolean positive(OptionalLong value) {
    return value.isPresent() && value.getAsLong() > 0;
  }

  /// All containers of a manifest, those that begin the pod first.
  static List<Container> all(Pod pod) {
    return Stream.concat(
            pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream())
        .toList();
  }
}
