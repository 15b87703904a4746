package dev.peapod.linux.cgroup;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.systemd.Property;
import dev.peapod.linux.systemd.Systemd;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A slice of systemd. The kernel is told its limits first, which refuses what can not be, and then systemd is told what
/// came of that, so that it keeps them whenever it writes its own.
final class Slice extends SystemdUnit {
  private static final List<String> FILES =
      List.of(
          "cpu.weight",
          "cpu.max",
          "cpuset.cpus",
          "cpuset.mems",
          "memory.min",
          "memory.low",
          "memory.high",
          "memory.max",
          "memory.swap.max",
          "pids.max");

  private static final long SECOND = 1_000_000;

  private final Systemd systemd;
  private final List<String> made;

  Slice(Systemd systemd, Cgroup plain, List<String> made) {
    super(plain);
    this.systemd = systemd;
    this.made = List.copyOf(made);
  }

  @Override
  public List<String> created() {
    return made;
  }

  @Override
  public void apply(CgroupLimits limits) {
    Map<String, String> before = values();
    super.apply(limits);
    Map<String, String> changed = values();
    changed.entrySet().removeAll(before.entrySet());
    if (changed.isEmpty()) {
      return;
    }
    List<Property> properties = new ArrayList<>();
    changed.forEach((file, value) -> properties.addAll(properties(file, value)));
    try {
      systemd.set(unit(), properties);
    } catch (PeapodException e) {
      before.keySet().retainAll(changed.keySet());
      before.forEach((file, value) -> KernelFiles.write(directory() + "/" + file, value));
      throw e;
    }
  }

  private Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    for (String file : FILES) {
      String path = directory() + "/" + file;
      if (KernelFiles.exists(path)) {
        values.put(file, KernelFiles.read(path));
      }
    }
    return values;
  }

  /// What systemd calls what a file says.
  static List<Property> properties(String file, String value) {
    return switch (file) {
      case "cpu.weight" -> List.of(Property.of("CPUWeight", Long.parseLong(value)));
      case "cpu.max" -> {
        String[] quotaAndPeriod = value.split(" ");
        long period = Long.parseLong(quotaAndPeriod[1]);
        long quota = amount(quotaAndPeriod[0]);
        yield List.of(
            Property.of("CPUQuotaPeriodUSec", period),
            Property.of(
                "CPUQuotaPerSecUSec",
                quota == Property.INFINITY ? quota : quota * SECOND / period));
      }
      case "cpuset.cpus" -> List.of(new Property("AllowedCPUs", bits(value)));
      case "cpuset.mems" -> List.of(new Property("AllowedMemoryNodes", bits(value)));
      case "memory.min" -> List.of(Property.of("MemoryMin", amount(value)));
      case "memory.low" -> List.of(Property.of("MemoryLow", amount(value)));
      case "memory.high" -> List.of(Property.of("MemoryHigh", amount(value)));
      case "memory.max" -> List.of(Property.of("MemoryMax", amount(value)));
      case "memory.swap.max" -> List.of(Property.of("MemorySwapMax", amount(value)));
      case "pids.max" -> List.of(Property.of("TasksMax", amount(value)));
      default -> throw new IllegalArgumentException(file);
    };
  }

  private static long amount(String value) {
    return value.equals("max") ? Property.INFINITY : Long.parseLong(value);
  }

  /// A list such as `0-2,7` as one bit for each number.
  private static Property.Octets bits(String list) {
    BitSet set = new BitSet();
    for (String range : list.isEmpty() ? new String[0] : list.split(",")) {
      String[] ends = range.split("-");
      set.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
    }
    return new Property.Octets(set.toByteArray());
  }

  @Override
  public boolean remove() {
    boolean gone = plain.remove();
    if (gone) {
      systemd.stop(unit());
      systemd.revert(unit());
    }
    return gone;
  }
}
