package dev.peapod.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.FsStat;
import dev.peapod.linux.KernelFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class CgroupsV2Test {
  private static void assumeVersionTwo() {
    Assumptions.assumeTrue(
        FsStat.of(Path.of("/sys/fs/cgroup")).type() == FsStat.CGROUP2, "needs cgroup v2");
  }

  @Nested
  class AsMounted extends CgroupsContract {
    @BeforeEach
    void onlyWhereVersionTwoIs() {
      assumeVersionTwo();
    }

    @Override
    Cgroups cgroups() {
      return Cgroups.detect();
    }
  }

  @Test
  void sharesBecomeWeightsThatKeepBothEndsAndTheDefault() {
    assertThat(CgroupV2.weight(0)).isEqualTo(1);
    assertThat(CgroupV2.weight(2)).isEqualTo(1);
    assertThat(CgroupV2.weight(1024)).isEqualTo(100);
    assertThat(CgroupV2.weight(262_144)).isEqualTo(10_000);
    assertThat(CgroupV2.weight(Long.MAX_VALUE)).isEqualTo(10_000);
    long before = 0;
    for (long shares = 2; shares <= 262_144; shares *= 2) {
      assertThat(CgroupV2.weight(shares)).isGreaterThan(before);
      before = CgroupV2.weight(shares);
    }
  }

  @Test
  void deviceRulesAreAssembledAndBadOnesRefused() {
    // Six instructions of preparation, two that refuse what no rule allowed.
    assertThat(DeviceProgram.assemble(List.of())).hasSize(8 * 8);
    assertThat(DeviceProgram.assemble(List.of("a *:* rwm"))).hasSize(8 * 10);
    assertThat(DeviceProgram.assemble(List.of("c 1:3 rw"))).hasSize(8 * 16);
    for (String rule : List.of("", "c 1:3", "x 1:3 r", "c 1:3 rwx", "c -1:3 r", "c 1:3 r\nc 1:4 r")) {
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> DeviceProgram.assemble(List.of(rule)));
    }
  }

  @Test
  void limitsAreSaidInVersionTwosWords() {
    assumeVersionTwo();
    Cgroups cgroups = Cgroups.detect();
    String path = "/pealinux-words-" + ProcessHandle.current().pid();
    Cgroup cgroup = cgroups.create(path);
    try {
      cgroup.apply(
          CgroupLimits.builder()
              .memoryBytes(64 << 20)
              .memorySwapBytes(96 << 20)
              .cpuShares(2048)
              .cpuQuota(20_000)
              .cpuPeriod(50_000)
              .pids(7)
              .hugepages(Map.of("2MB", 2L << 20))
              .unified(Map.of("memory.high", "50331648", "memory.oom.group", "1"))
              .build());
      assertThat(read(path, "memory.max")).isEqualTo("67108864");
      assertThat(read(path, "memory.swap.max")).isEqualTo("33554432");
      assertThat(read(path, "cpu.weight")).isEqualTo("174");
      assertThat(read(path, "cpu.max")).isEqualTo("20000 50000");
      assertThat(read(path, "pids.max")).isEqualTo("7");
      assertThat(read(path, "hugetlb.2MB.max")).isEqualTo("2097152");
      assertThat(read(path, "hugetlb.2MB.rsvd.max")).isEqualTo("2097152");
      assertThat(read(path, "memory.high")).isEqualTo("50331648");
      assertThat(read(path, "memory.oom.group")).isEqualTo("1");
      cgroup.apply(CgroupLimits.builder().cpuPeriod(100_000).build());
      assertThat(read(path, "cpu.max")).isEqualTo("20000 100000");
      cgroup.apply(CgroupLimits.builder().cpuQuota(-1).memorySwapBytes(-1).build());
      assertThat(read(path, "cpu.max")).isEqualTo("max 100000");
      assertThat(read(path, "memory.swap.max")).isEqualTo("max");
      for (String file : List.of("memory.nothing", "rdma.max")) {
        assertThatExceptionOfType(PeapodException.class)
            .isThrownBy(
                () -> cgroup.apply(CgroupLimits.builder().unified(Map.of(file, "1")).build()))
            .withMessageContaining(file);
      }
    } finally {
      assertThat(cgroup.remove()).isTrue();
    }
  }

  @Test
  void swapNeedsAMemoryLimitToBeTakenFrom() {
    assumeVersionTwo();
    Cgroups cgroups = Cgroups.detect();
    Cgroup cgroup = cgroups.create("/pealinux-swap-" + ProcessHandle.current().pid());
    try {
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroup.apply(CgroupLimits.builder().memorySwapBytes(1 << 20).build()))
          .withMessageContaining("needs a limit of memory");
    } finally {
      assertThat(cgroup.remove()).isTrue();
    }
  }

  private static String read(String path, String file) {
    return KernelFiles.read("/sys/fs/cgroup" + path + "/" + file);
  }
}
