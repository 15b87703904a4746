package dev.peapod.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.KernelFiles;
import dev.peapod.linux.MountInfo;
import dev.peapod.linux.Mounts;
import dev.peapod.linux.Root;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class CgroupsV1Test {
  private static MountInfo mount(String at, String type, String... options) {
    return new MountInfo(
        1, 0, "0:1", "/", Path.of(at), List.of("rw"), List.of(), type, type, List.of(options));
  }

  @BeforeEach
  void onlyWhereVersionOneIs() {
    Root.assumed();
    Assumptions.assumeTrue(
        Mounts.self().stream().anyMatch(m -> m.type().equals("cgroup")), "needs cgroup v1");
  }

  private static CgroupsV1 withoutUnified(String... absent) {
    List<MountInfo> mounts =
        Mounts.self().stream()
            .filter(m -> !m.type().equals("cgroup2"))
            .filter(m -> m.superOptions().stream().noneMatch(List.of(absent)::contains))
            .toList();
    return CgroupsV1.of(mounts, false);
  }

  @Nested
  class AsMounted extends CgroupsContract {
    @Override
    Cgroups cgroups() {
      return Cgroups.detect();
    }
  }

  @Nested
  class WithoutUnified extends CgroupsContract {
    @Override
    Cgroups cgroups() {
      return withoutUnified();
    }
  }

  @Nested
  class WithoutUnifiedAndFreezer extends CgroupsContract {
    @Override
    Cgroups cgroups() {
      return withoutUnified("freezer");
    }
  }

  @Test
  void hierarchiesAreFoundByTheMountTable() {
    List<MountInfo> mounts =
        List.of(
            mount("/", "ext4", "rw", "memory"),
            mount("/cg/cpu,cpuacct", "cgroup", "rw", "cpu", "cpuacct"),
            mount("/cg/memory", "cgroup", "rw", "memory"),
            mount("/again/memory", "cgroup", "rw", "memory"),
            mount("/cg/net_cls", "cgroup", "rw", "net_cls"),
            mount("/cg/systemd", "cgroup", "rw", "xattr", "name=systemd"),
            mount("/cg/freezer", "cgroup", "rw", "freezer"),
            mount("/cg/unified", "cgroup2", "rw"));
    Cgroup cgroup = CgroupsV1.of(mounts, false).open("/p");
    assertThat(cgroup.enterFiles())
        .containsExactly("/cg/cpu,cpuacct/p/tasks", "/cg/memory/p/tasks", "/cg/freezer/p/tasks");
    assertThat(cgroup.intoDirectory()).hasValue("/cg/unified/p");
    assertThat(cgroup.killFile()).hasValue("/cg/unified/p/cgroup.kill");
    assertThat(cgroup.freezerDirectory()).hasValue("/cg/freezer/p");
    assertThat(cgroup.oomCounter())
        .hasValue(
            new KernelCounter("/cg/memory/p/memory.oom_control", "oom_kill"));
    CgroupsV1 withSystemd = CgroupsV1.of(mounts, true);
    assertThat(withSystemd.open("/p").enterFiles()).contains("/cg/systemd/p/tasks");
    assertThat(withSystemd.controllers())
        .containsExactly("cpu", "cpuacct", "memory", "freezer");
    assertThat(withSystemd.version()).isEqualTo(1);
    Cgroup bare = CgroupsV1.of(mounts.subList(2, 3), false).open("/p");
    assertThat(bare.intoDirectory()).isEmpty();
    assertThat(bare.killFile()).isEmpty();
    assertThat(bare.freezerDirectory()).isEmpty();
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> CgroupsV1.of(mounts.subList(0, 1), false));
  }

  @Test
  void aLimitWithoutItsControllerIsRefusedByName() {
    Cgroups cgroups = withoutUnified("pids", "memory", "cpuset");
    String path = "/pealinux-absent-" + ProcessHandle.current().pid();
    Cgroup cgroup = cgroups.create(path);
    try {
      assertThat(cgroups.controllers()).doesNotContain("pids").contains("cpu");
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroup.apply(CgroupLimits.builder().pids(5).build()))
          .withMessageContaining("no cgroup controller \"pids\"")
          .matches(e -> e.kind() == PeapodException.Kind.INVALID);
      assertThatExceptionOfType(PeapodException.class)
          .isThrownBy(() -> cgroup.apply(CgroupLimits.builder().memorySwapBytes(1).build()))
          .withMessageContaining("\"memory\"");
      assertThat(cgroup.oomCounter()).isEmpty();
      assertThat(cgroup.oomKills()).isZero();
      assertThat(cgroup.stats().memoryBytes()).isEmpty();
      assertThat(cgroup.stats().cpuNanos()).isPresent();
    } finally {
      cgroup.remove();
    }
  }

  @Test
  void everyNewCpusetGetsWhatTheOneAboveHas() {
    String path = "/pealinux-cpuset-" + ProcessHandle.current().pid();
    String mount = Mounts.self().stream()
        .filter(m -> m.type().equals("cgroup") && m.superOptions().contains("cpuset"))
        .findFirst()
        .orElseThrow()
        .mountPoint()
        .toString();
    try {
      // Somebody, or a crash, has left one without.
      KernelFiles.makeDirectory(mount + path);
      assertThat(KernelFiles.read(mount + path + "/cpuset.cpus")).isEmpty();
      Cgroups.detect().create(path + "/a/b");
      for (String level : List.of("", "/a", "/a/b")) {
        assertThat(KernelFiles.read(mount + path + level + "/cpuset.cpus"))
            .isEqualTo(KernelFiles.read(mount + "/cpuset.cpus"));
        assertThat(KernelFiles.read(mount + path + level + "/cpuset.mems"))
            .isEqualTo(KernelFiles.read(mount + "/cpuset.mems"));
      }
    } finally {
      Cgroups.detect().open(path).remove();
    }
  }
}
