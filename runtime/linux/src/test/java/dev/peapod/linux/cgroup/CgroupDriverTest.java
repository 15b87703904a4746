package dev.peapod.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peapod.error.PeapodException;
import dev.peapod.linux.systemd.Property;
import java.util.List;
import org.junit.jupiter.api.Test;

class CgroupDriverTest {
  @Test
  void aSliceIsInThoseThatItsNameBeginsWith() {
    String path = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice";
    assertThat(CgroupDriver.SYSTEMD.path("kubepods-besteffort-pod1_2.slice")).isEqualTo(path);
    assertThat(CgroupDriver.SYSTEMD.path(path)).isEqualTo(path);
    assertThat(CgroupDriver.SYSTEMD.path(path.substring(1))).isEqualTo(path);
    assertThat(CgroupDriver.SYSTEMD.path("a.slice")).isEqualTo("/a.slice");
    assertThat(SliceNames.levels(path))
        .containsExactly("/kubepods.slice", "/kubepods.slice/kubepods-besteffort.slice", path);
  }

  @Test
  void whatIsNoSliceIsRefused() {
    for (String bad :
        List.of(
            "", "/", ".slice", "-.slice", "a-.slice", "-a.slice", "a--b.slice", "a.scope", "/a/b",
            "a b.slice", "a/../b.slice", "/b.slice/a-b.slice", "a\n.slice", "x".repeat(260) + ".slice")) {
      assertThatExceptionOfType(PeapodException.class)
          .as(bad)
          .isThrownBy(() -> CgroupDriver.SYSTEMD.path(bad))
          .satisfies(e -> assertThat(e.kind()).isEqualTo(PeapodException.Kind.INVALID));
    }
  }

  @Test
  void pathsAreDirectoriesOtherwise() {
    assertThat(CgroupDriver.CGROUPFS.path("kubepods//burstable/")).isEqualTo("/kubepods/burstable");
    assertThatExceptionOfType(PeapodException.class)
        .isThrownBy(() -> CgroupDriver.CGROUPFS.path("kubepods-pod1.slice"))
        .withMessageContaining("cgroupfs");
  }

  @Test
  void groupsBelowAreNamedInTheirWay() {
    CgroupName slice = new CgroupName(CgroupDriver.SYSTEMD, "/peapod.slice");
    assertThat(slice.child("burstable").child("pod1-2").path())
        .isEqualTo("/peapod.slice/peapod-burstable.slice/peapod-burstable-pod1_2.slice");
    assertThat(CgroupDriver.SYSTEMD.members("/a.slice", "7")).isEqualTo("/a.slice/peapod-7.scope");
    CgroupName directory = new CgroupName(CgroupDriver.CGROUPFS, "/peapod");
    assertThat(directory.child("burstable").child("pod1-2").path()).isEqualTo("/peapod/burstable/pod1-2");
    assertThat(CgroupDriver.CGROUPFS.members("/a", "7")).isEqualTo("/a");
  }

  @Test
  void whatTheKernelSaysIsSaidInSystemdsWords() {
    assertThat(Slice.properties("cpu.max", "150000 100000"))
        .containsExactly(Property.of("CPUQuotaPeriodUSec", 100_000), Property.of("CPUQuotaPerSecUSec", 1_500_000));
    assertThat(Slice.properties("cpu.max", "max 50000"))
        .containsExactly(Property.of("CPUQuotaPeriodUSec", 50_000), Property.of("CPUQuotaPerSecUSec", Property.INFINITY));
    assertThat(Slice.properties("memory.max", "max")).containsExactly(Property.of("MemoryMax", Property.INFINITY));
    assertThat(Slice.properties("cpuset.cpus", "0-2,9").getFirst().value())
        .isInstanceOfSatisfying(Property.Octets.class, o -> assertThat(o.bytes()).containsExactly(7, 2));
    assertThat(Slice.properties("cpuset.mems", "").getFirst().value())
        .isInstanceOfSatisfying(Property.Octets.class, o -> assertThat(o.bytes()).isEmpty());
  }
}
