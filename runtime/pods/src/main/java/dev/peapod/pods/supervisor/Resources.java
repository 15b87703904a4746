package dev.peapod.pods.supervisor;

import dev.peapod.pods.manifest.PodResources;
import dev.peapod.pods.manifest.Quantities;
import dev.peapod.pods.node.HostFacts;
import dev.peapod.proto.runtime.v1.LinuxContainerResources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.math.BigDecimal;
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

  /// Guaranteed, Burstable or BestEffort: by what the pod has as a whole, or else by its containers'.
  public static String qosClass(Pod pod) {
    List<ResourceRequirements> all =
        PodResources.isSet(pod.getSpec())
            ? List.of(pod.getSpec().getResources())
            : all(pod).stream()
                .map(c -> c.getResources() == null ? new ResourceRequirements() : c.getResources())
                .toList();
    boolean any = false;
    boolean guaranteed = true;
    for (ResourceRequirements each : all) {
      OptionalLong cpu = cpu(each, true);
      OptionalLong memory = memory(each, true);
      OptionalLong cpuRequest = cpu(each, false);
      OptionalLong memoryRequest = memory(each, false);
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
    // A container without limits of its own has those of the pod, as kubelet does it.
    ResourceRequirements whole = pod.getSpec().getResources();
    OptionalLong cpuLimit = or(cpu(container, true), cpu(whole, true));
    if (positive(cpuLimit)) {
      result.setCpuQuota(quota(cpuLimit.getAsLong()));
    }
    OptionalLong request = cpu(container, false);
    result.setCpuShares(shares((request.isPresent() ? request : cpuLimit).orElse(0)));
    or(memory(container, true), memory(whole, true)).ifPresent(result::setMemoryLimitInBytes);
    result.setOomScoreAdj(oomScore(pod, container));
    if (HostFacts.isCgroupV2()) {
      // As kubelet does: no swap, and a container that is out of memory ends whole.
      result.setMemorySwapLimitInBytes(result.getMemoryLimitInBytes());
      result.putUnified("memory.oom.group", "1");
    }
    return result.build();
  }

  /// What the pod's own cgroup is to be held to: what it has as a whole, or else its containers' sums, limits only where
  /// all of them have one.
  static LinuxContainerResources ofPod(Pod pod) {
    PodSpec spec = pod.getSpec();
    LinuxContainerResources.Builder result = LinuxContainerResources.newBuilder();
    result.setCpuPeriod(PERIOD);
    result.setCpuShares(shares(cpuRequest(pod)));
    PodResources.limit(spec, "cpu")
        .ifPresent(limit -> result.setCpuQuota(quota(Quantities.milli(limit.toPlainString()))));
    PodResources.limit(spec, "memory")
        .ifPresent(
            limit -> result.setMemoryLimitInBytes(Quantities.units(limit.toPlainString())));
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

  private static long oomScore(Pod pod, Container container) {
    return switch (qosClass(pod)) {
      case "Guaranteed" -> -997;
      case "BestEffort" -> 1000;
      default -> {
        long request = memory(container, false).orElse(0) + spareMemory(pod);
        long score = 1000 - (long) (1000.0 * request / HostFacts.memory());
        yield Math.clamp(score, 3, 999);
      }
    };
  }

  /// What a pod asks for as a whole beyond its containers, in equal parts for each of them.
  private static long spareMemory(Pod pod) {
    BigDecimal own = PodResources.own(pod.getSpec(), false, "memory").orElse(BigDecimal.ZERO);
    BigDecimal spare = own.subtract(PodResources.sum(pod.getSpec(), false, "memory"));
    return spare.signum() <= 0
        ? 0
        : spare.divideToIntegralValue(BigDecimal.valueOf(all(pod).size())).longValue();
  }

  /// Thousandths of a processor that a pod has asked for.
  static long cpuRequest(Pod pod) {
    return Quantities.milli(PodResources.request(pod.getSpec(), "cpu").toPlainString());
  }

  static long shares(long milli) {
    return milli == 0 ? LEAST_SHARES : Math.clamp(milli * 1024 / 1000, LEAST_SHARES, MOST_SHARES);
  }

  private static long quota(long milli) {
    return Math.max(LEAST_QUOTA, milli * PERIOD / 1000);
  }

  private static OptionalLong or(OptionalLong one, OptionalLong other) {
    return positive(one) ? one : other;
  }

  private static OptionalLong cpu(Container container, boolean limit) {
    return cpu(container.getResources(), limit);
  }

  private static OptionalLong cpu(@Nullable ResourceRequirements resources, boolean limit) {
    String text = quantity(resources, limit, "cpu");
    return text == null ? OptionalLong.empty() : OptionalLong.of(Quantities.milli(text));
  }

  private static OptionalLong memory(Container container, boolean limit) {
    return memory(container.getResources(), limit);
  }

  private static OptionalLong memory(@Nullable ResourceRequirements resources, boolean limit) {
    String text = quantity(resources, limit, "memory");
    return text == null ? OptionalLong.empty() : OptionalLong.of(Quantities.units(text));
  }

  private static @Nullable String quantity(
      @Nullable ResourceRequirements resources, boolean limit, String name) {
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
