package dev.peapod.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Parts of procfs and sysfs that are about the whole machine, in whichever namespace they are looked
/// at.
public final class MachinePaths {
  /// What tells of the machine, or of others on it.
  public static final List<String> TELLING =
      Stream.concat(
              Stream.of(
                  "/proc/asound",
                  "/proc/acpi",
                  "/proc/interrupts",
                  "/proc/kcore",
                  "/proc/keys",
                  "/proc/latency_stats",
                  "/proc/timer_list",
                  "/proc/timer_stats",
                  "/proc/sched_debug",
                  "/proc/scsi",
                  "/sys/firmware",
                  "/sys/devices/virtual/powercap"),
              throttling())
          .toList();

  /// What changes the machine when it is written.
  public static final List<String> CHANGING =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private MachinePaths() {}

  private static Stream<String> throttling() {
    return IntStream.range(0, Runtime.getRuntime().availableProcessors())
        .mapToObj(cpu -> "/sys/devices/system/cpu/cpu" + cpu + "/thermal_throttle")
        .filter(path -> Files.exists(Path.of(path)));
  }
}
